#include <support/million_changes.hpp>

TEST_CASE_METHOD(test::million_changes, "a million changes of one transaction are applied by their changelog in less than 128 MiB") {
    apply(isorow::changelog{});
}
