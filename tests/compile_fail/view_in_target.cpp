// expected: isorow: this field is a view, which would refer to memory that is gone
// expected: "title"
#include <isorow/target/target.hpp>

#include <cstdint>
#include <string>
#include <string_view>

struct Paper {
    std::int64_t id;
#ifdef WRONG
    std::string_view title;
#else
    std::string title;
#endif
    static consteval auto isorow_table() { return isorow::table("papers").primary_key<&Paper::id>(); }
};

void declare(isorow::connection& connection, Paper const& paper) {
    isorow::target<Paper> papers(connection);
    papers.declare(paper);
    papers.commit();
}
