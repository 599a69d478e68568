#pragma once

/// @file
/// How a record store searches by text and by vector. Each search is one statement: the ids that it ranks, with their scores, joined to
/// the records.

#include <isorow/records/detail/search_sql.hpp>
#include <isorow/records/store.hpp>

#include <cmath>

namespace isorow::inline v1 {

namespace records::detail {

/// A row of a search: a stored row and its score.
struct found_row {
    uuid id;
    boost::json::object fields;
    std::optional<boost::json::object> metadata;
    std::chrono::sys_time<std::chrono::microseconds> created_at;
    std::chrono::sys_time<std::chrono::microseconds> updated_at;
    double score;
};

/// So many are found where a query does not say.
inline constexpr std::size_t default_page = 10;

/// How many of the best the query looks at.
[[nodiscard]] inline std::size_t depth_of(query const& wanted) {
    if (!wanted.order().empty() || wanted.after())
        throw usage_error("a search by text or vector has an order of its own: its query has neither order_by nor after");
    constexpr std::size_t most = 1'000'000'000;
    return std::min(wanted.limit().value_or(default_page), most) + std::min(wanted.offset(), most);
}

}  // namespace records::detail

/// Writes a SELECT of `id` and `score` of the records that have the words, the best `depth_of` of them.
inline std::string record_store<>::write_text_search(records::detail::statement_builder& statement, std::string_view words,
                                                     records::query const& wanted) const {
    if (!kept_->texts) throw usage_error("the record store has no texts to search: say their places in its options, `.texts`");
    auto const words_there = records::detail::words_sql(*kept_->texts, "r.");
    auto const asked =
        text("websearch_to_tsquery({}, {})", records::detail::language_sql(*kept_->texts), statement.bind(std::string(words)));
    return text("SELECT r.id, ts_rank_cd({}, {})::float8 AS score FROM {} AS r WHERE {} @@ {} AND {} ORDER BY score DESC, r.id",
                words_there, asked, table_, words_there, asked, records::detail::filter_writer(statement)(wanted.condition()));
}

/// The same of those whose vectors are near; the score is the distance.
inline std::string record_store<>::write_vector_search(records::detail::statement_builder& statement, std::span<float const> to,
                                                       records::query const& wanted) const {
    if (!kept_->vector) throw usage_error("the record store has no vector to search by: say it in its options, `.vector`");
    auto const& of = *kept_->vector;
    auto const& prefix = kept_->extension.prefix;
    auto const column = "r." + quote_identifier(of.column);
    // What the index answers for is this expression, to the letter.
    auto const distance = text("{} OPERATOR({}{}) {}::text::{}vector", column, prefix, records::detail::distance_operator(of.metric),
                               statement.bind(records::detail::vector_text(to, of)), prefix);
    return text("SELECT r.id, ({})::float8 AS score FROM {} AS r WHERE {} IS NOT NULL AND {} ORDER BY {}", distance, table_, column,
                records::detail::filter_writer(statement)(wanted.condition()), distance);
}

inline std::vector<records::found_record> record_store<>::ranked(std::string_view ranks, records::detail::statement_builder& statement,
                                                                 records::query const& wanted, records::direction best_first) const {
    statement << "WITH ranked AS MATERIALIZED (" << ranks << ") SELECT r.id, "
              << records::detail::document_sql(statement, wanted, records::part::fields) << " AS fields, "
              << records::detail::document_sql(statement, wanted, records::part::metadata) << " AS metadata, "
              << records::detail::stored_times << ", k.score FROM ranked AS k JOIN " << table_ << " AS r ON r.id = k.id ORDER BY k.score "
              << (best_first == records::ascending ? "ASC" : "DESC") << ", r.id LIMIT "
              << records::detail::count_sql(wanted.limit().value_or(records::detail::default_page)) << " OFFSET "
              << records::detail::count_sql(wanted.offset());
    std::vector<records::found_record> all;
    auto const take = [&](records::detail::found_row&& row) {
        auto const score = row.score;
        auto record = records::detail::as_record({row.id, std::move(row.fields), std::move(row.metadata), row.created_at, row.updated_at});
        all.push_back({records::detail::projected(std::move(record), wanted), score});
    };
    if (!kept_->extension.scans_on) {
        records::detail::run<records::detail::found_row>(reads_, statement, take);
        return all;
    }
    // An index of vectors gives no more than its few candidates, unless it is told to go on until there are enough.
    auto const inside = [&](transaction& open) {
        all.clear();
        auto const former = query_one<std::string>(
            open,
            "WITH former AS MATERIALIZED (SELECT coalesce(current_setting('hnsw.iterative_scan', true), 'off') AS setting)"
            " SELECT setting FROM former WHERE set_config('hnsw.iterative_scan', 'strict_order', true) IS NOT NULL");
        records::detail::run<records::detail::found_row>(open, statement, take);
        // The transaction may stand in the caller's, where the setting would stay.
        if (reads_.lender() == nullptr)
            static_cast<void>(query_one<std::string>(open, "SELECT set_config('hnsw.iterative_scan', $1, true)", former));
    };
    if (reads_.lender() != nullptr) {
        isorow::transact(*reads_.lender(), inside);
    } else {
        database_ref::use const connection(reads_);
        isorow::transact(*connection, inside);
    }
    return all;
}

inline std::vector<records::found_record> record_store<>::search_text(std::string_view words, records::query const& wanted) const {
    records::detail::statement_builder statement;
    auto const depth = records::detail::depth_of(wanted);
    auto const ranks = write_text_search(statement, words, wanted);
    return ranked(text("{} LIMIT {}", ranks, depth), statement, wanted, records::descending);
}

inline std::vector<records::found_record> record_store<>::search_nearest(std::span<float const> to, records::query const& wanted) const {
    records::detail::statement_builder statement;
    auto const depth = records::detail::depth_of(wanted);
    auto const ranks = write_vector_search(statement, to, wanted);
    return ranked(text("{} LIMIT {}", ranks, depth), statement, wanted, records::ascending);
}

inline std::vector<records::found_record> record_store<>::search_hybrid(std::string_view words, std::span<float const> to,
                                                                        records::query const& wanted,
                                                                        records::fusion_options const& fusion) const {
    bool const is_sound = fusion.text_weight >= 0 && fusion.vector_weight >= 0 && fusion.k > 0 && std::isfinite(fusion.text_weight) &&
                          std::isfinite(fusion.vector_weight) && std::isfinite(fusion.k);
    if (!is_sound) throw usage_error("the weights of a hybrid search are finite and not negative, and its k is more than 0");
    records::detail::statement_builder statement;
    auto const depth = std::max(records::detail::depth_of(wanted), fusion.candidates);
    auto const by_text = write_text_search(statement, words, wanted);
    auto const by_vector = write_vector_search(statement, to, wanted);
    auto const share = [&](double weight, std::string_view rank) {
        return text("coalesce({}::float8 / ({}::float8 + {}), 0)", weight, fusion.k, rank);
    };
    auto const ranks = text(
        "SELECT id, {} + {} AS score FROM (SELECT id, row_number() OVER (ORDER BY score DESC, id) AS rank FROM ({} LIMIT {}) AS s) AS t"
        " FULL JOIN (SELECT id, row_number() OVER (ORDER BY score, id) AS rank FROM ({} LIMIT {}) AS s) AS v USING (id)",
        share(fusion.text_weight, "t.rank"), share(fusion.vector_weight, "v.rank"), by_text, depth, by_vector, depth);
    return ranked(ranks, statement, wanted, records::descending);
}

}  // namespace isorow::inline v1
