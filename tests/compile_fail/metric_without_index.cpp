// expected: isorow: pgvector has no such index for this column's type
// expected: "Document"
// expected: "code"
#include <isorow/schema.hpp>
#include <isorow/types/bits.hpp>

#include <cstdint>

struct Document {
    std::int32_t id;
    isorow::bit<8> code;

    static consteval auto isorow_table() {
#ifdef WRONG
        return isorow::table("documents").primary_key<&Document::id>().index<&Document::code>(isorow::hnsw{.metric = isorow::cosine});
#else
        return isorow::table("documents").primary_key<&Document::id>().index<&Document::code>(isorow::hnsw{.metric = isorow::hamming});
#endif
    }
};

constexpr int checked = (isorow::check<Document>(), 0);
