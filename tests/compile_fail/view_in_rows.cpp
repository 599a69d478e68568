// expected: isorow: this field is a view, which would refer to memory that is gone
// expected: source<T>::batches()
// expected: "Paper"
// expected: "title"
#include <isorow/source/source.hpp>

#include <cstdint>
#include <string_view>

struct Paper {
    std::int64_t id;
    std::string_view title;
    static consteval auto isorow_table() { return isorow::table("papers").primary_key<&Paper::id>(); }
};

std::size_t read(isorow::connection& connection) {
    isorow::source<Paper> const papers(connection);
    std::size_t size = 0;
#ifdef WRONG
    for (auto const& paper : papers.rows()) size += paper.title.size();
#else
    for (auto const& batch : papers.batches())
        for (auto const& paper : batch) size += paper.title.size();
#endif
    return size;
}
