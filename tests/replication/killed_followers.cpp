#include <support/shop_under_load.hpp>

TEST_CASE_METHOD(test::shop_under_load, "a follower of the log that is killed again and again misses nothing and applies nothing twice") {
    kill_again_and_again(isorow::replication{.slot = home.name()});
    auto connection = test::connect(home.dsn());
    isorow::drop_slot(connection, home.name());
}
