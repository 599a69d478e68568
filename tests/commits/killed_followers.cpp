#include <support/shop_under_load.hpp>

TEST_CASE_METHOD(test::shop_under_load,
                 "a follower of a changelog that is killed again and again misses nothing and applies nothing twice") {
    kill_again_and_again(isorow::changelog{.notification = {.wakes = true}, .interval = std::chrono::milliseconds(50)});
}
