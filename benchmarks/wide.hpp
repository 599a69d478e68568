#pragma once

#include <isorow/isorow.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

/// The wide table: an embedding of 384 floats, which Postgres keeps in the row.
struct Wide {
    std::int64_t id;
    std::string name;
    isorow::vector<384> embedding;

    static consteval auto isorow_table() { return isorow::table("wide").primary_key<&Wide::id>(); }
};

/// Makes the row the one with this number, as it is in a state of the table: each hundredth row is another in each state.
inline void set_row(Wide& row, std::int64_t id, std::int64_t state) {
    row.id = id;
    row.name.assign("name of ").append(std::to_string(1'000'000 + id));
    // A few floats tell the rows apart; to make all of them anew would cost more than to send them.
    for (std::size_t i = 0; i < row.embedding.size(); i += 48)
        row.embedding[i] = static_cast<float>((id * 31 + static_cast<std::int64_t>(i)) % 1000) / 1000;
    row.embedding[1] = id % 100 == 0 ? static_cast<float>(state) : 0;
}
