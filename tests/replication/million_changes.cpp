#include <support/million_changes.hpp>

TEST_CASE_METHOD(test::million_changes, "a million changes of one transaction are applied by the log in less than 128 MiB") {
    apply(isorow::replication{.slot = home.name()});
    auto connection = test::connect(home.dsn());
    isorow::drop_slot(connection, home.name());
}
