#pragma once

#include <isorow/query/query.hpp>

#include <atomic>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// A statement with the types of its rows and arguments: `statement<Product(double)> cheap{"select … where price < $1"}`. At its first use
/// against a database the server describes it with the types of the arguments, and every column that a field cannot read is thrown in one
/// `mismatch`, before anything is run. `Row`: as in `query`, or `void` for statements without rows. May be used by several threads.
template <class Signature>
class statement;

template <class Row, class... Arguments>
class statement<Row(Arguments...)> {
public:
    template <class Text>
        requires(!std::same_as<std::remove_cvref_t<Text>, statement>)
    explicit statement(Text const& sql) {
        // The text is looked at now, so that a statement that can never run is not made.
        std::string_view const given(sql);
        detail::prepared_text const checked(given, sizeof...(Arguments), false);
        translated_ = checked.text();
    }
    statement(statement const&) = delete;
    statement& operator=(statement const&) = delete;

    /// All rows.
    [[nodiscard]] std::vector<Row> all(database_ref const& where, std::type_identity_t<Arguments> const&... arguments) const
        requires(!std::is_void_v<Row>)
    {
        check(where);
        return query<Row>(where, sql(), arguments...);
    }
    /// The first row, or nothing.
    [[nodiscard]] std::optional<Row> first(database_ref const& where, std::type_identity_t<Arguments> const&... arguments) const
        requires(!std::is_void_v<Row>)
    {
        check(where);
        return isorow::first<Row>(where, sql(), arguments...);
    }
    /// Exactly one row.
    [[nodiscard]] Row one(database_ref const& where, std::type_identity_t<Arguments> const&... arguments) const
        requires(!std::is_void_v<Row>)
    {
        check(where);
        return query_one<Row>(where, sql(), arguments...);
    }
    /// The number of rows that it changed or selected.
    std::int64_t execute(database_ref const& where, std::type_identity_t<Arguments> const&... arguments) const {
        check(where);
        return isorow::execute(where, sql(), arguments...);
    }

    /// Holds the statement against the database, once for each database. Called by the others; call it at the start of a program to know
    /// early. Throws `mismatch`, and the server's errors about the statement.
    void check(database_ref const& where) const {
        database_ref::use const connection(where);
        auto const database = connection->types().id();
        if (checked_for_.load(std::memory_order_acquire) == database) return;
        auto const limits = connection.limits();
        if constexpr (!std::is_void_v<Row>) {
            detail::check_row<Row>();
            detail::row_plan<Row>::prepare(*connection, limits);
        }
        auto const described =
            describe_statement(*connection, translated_, {detail::oid_on<argument_type<Arguments>>(*connection, limits)...}, limits);
        check_parameters(described);
        if constexpr (!std::is_void_v<Row>) static_cast<void>(detail::row_plan<Row>(*connection, described));
        checked_for_.store(database, std::memory_order_release);
    }

private:
    template <class Argument>
    static constexpr column_type argument_type = [] {
        if constexpr (std::convertible_to<Argument const&, std::string_view>) return column_type{type_id::text};
        else return field_traits<Argument>::type;
    }();

    void check_parameters(result const& described) const {
        auto const count = static_cast<std::size_t>(PQnparams(described.native_handle()));
        if (count != sizeof...(Arguments))
            throw usage_error(
                text("the statement takes {} parameters, but its type has {} arguments, in: {}", count, sizeof...(Arguments), translated_));
    }

    /// Translated already: it is not looked at again.
    [[nodiscard]] sql_text sql() const noexcept { return sql_text::translated(translated_, sizeof...(Arguments)); }

    std::string translated_;
    mutable std::atomic<std::uint64_t> checked_for_{0};
};

}  // namespace isorow::inline v1
