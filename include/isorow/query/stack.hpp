#pragma once

/// @file
/// Several statements in one round trip, each with its typed answer.

#include <isorow/config.hpp>
#include <isorow/pq/pipeline.hpp>
#include <isorow/query/query.hpp>

#include <any>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

class stack;
class stack_results;

/// Which statement of a stack gives rows of a type.
template <class Row>
class rows_of {
    friend class stack;
    friend class stack_results;
    explicit rows_of(std::size_t place) noexcept : place_(place) {}
    std::size_t place_;
};
/// Which statement of a stack gives a number of rows.
class count_of {
    friend class stack;
    friend class stack_results;
    explicit count_of(std::size_t place) noexcept : place_(place) {}
    std::size_t place_;
};

namespace detail {

/// Arguments are kept until the stack runs: text and views of it as strings.
template <class Argument>
using kept_type = std::conditional_t<std::convertible_to<Argument const&, std::string_view>, std::string, std::remove_cvref_t<Argument>>;
template <class Value>
struct kept_type_of_named {
    std::string name;
    kept_type<Value> value;
};

template <class Argument>
[[nodiscard]] auto keep(Argument const& argument) {
    if constexpr (std::convertible_to<Argument const&, std::string_view>) return std::string(std::string_view(argument));
    else return argument;
}
template <class Value>
[[nodiscard]] auto keep(named_argument<Value> const& argument) {
    return kept_type_of_named<Value>{std::string(argument.name), keep(argument.value)};
}
template <class Kept>
[[nodiscard]] Kept const& give(Kept const& kept) noexcept {
    return kept;
}
template <class Value>
[[nodiscard]] auto give(kept_type_of_named<Value> const& kept) noexcept {
    return arg(kept.name, kept.value);
}

/// A statement of a stack: bound when a connection is at hand, decoded when the answer is.
class stacked_statement {
public:
    stacked_statement() = default;
    stacked_statement(stacked_statement const&) = delete;
    stacked_statement& operator=(stacked_statement const&) = delete;
    virtual ~stacked_statement() = default;

    /// The text is the translation where there is one, which lives as long as the statement.
    [[nodiscard]] virtual std::unique_ptr<bound_statement> bind(connection& connection, limits const& limits) const = 0;
    [[nodiscard]] virtual std::any decode(connection& connection, result const& answer) const = 0;
};

/// What is thrown away of a statement: all but the number of rows.
struct no_rows {};

template <class Row, class... Kept>
class stacked final : public stacked_statement {
public:
    explicit stacked(sql_text const& sql, std::tuple<Kept...> arguments)
        : own_(sql.is_literal() ? std::string{} : std::string(sql.text())),
          sql_(sql.is_literal() ? sql : sql_text(own_)),
          arguments_(std::move(arguments)) {}

    [[nodiscard]] std::unique_ptr<bound_statement> bind(connection& connection, limits const& limits) const override {
        if constexpr (!std::is_same_v<Row, no_rows>) row_plan<Row>::prepare(connection, limits);
        return std::apply([&](auto const&... kept) { return std::make_unique<bound_statement>(connection, limits, sql_, give(kept)...); },
                          arguments_);
    }

    [[nodiscard]] std::any decode(connection& connection, result const& answer) const override {
        if constexpr (std::is_same_v<Row, no_rows>) {
            return answer.affected_rows();
        } else {
            row_plan<Row> const plan(connection, answer);
            std::vector<Row> rows(static_cast<std::size_t>(answer.rows()));
            for (int row = 0; row < answer.rows(); ++row) decode_at(plan, answer, row, rows);
            return rows;
        }
    }

private:
    std::string own_;
    sql_text sql_;
    std::tuple<Kept...> arguments_;
};

}  // namespace detail

/// What the statements of a stack gave.
class stack_results {
public:
    /// The rows of a statement. Throws what it failed with, and `usage_error` where it was not executed.
    template <class Row>
    [[nodiscard]] std::vector<Row> const& operator[](rows_of<Row> which) const {
        return std::any_cast<std::vector<Row> const&>(value(which.place_));
    }
    /// How many rows a statement changed or selected; throws likewise.
    [[nodiscard]] std::int64_t operator[](count_of which) const { return std::any_cast<std::int64_t>(value(which.place_)); }

    template <class Which>
    [[nodiscard]] isorow::outcome outcome(Which which) const {
        return entries_.at(which.place_).outcome;
    }
    /// What a statement failed with, null where it did not.
    template <class Which>
    [[nodiscard]] std::exception_ptr failure(Which which) const {
        return entries_.at(which.place_).failure;
    }
    /// Whether all statements are done.
    [[nodiscard]] bool all_done() const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

private:
    friend class stack;
    struct entry {
        isorow::outcome outcome;
        std::exception_ptr failure;
        std::any value;
    };

    [[nodiscard]] std::any const& value(std::size_t place) const;

    std::vector<entry> entries_;
};

/// Statements that are run together in one round trip. Each call that adds one returns a key for its answer:
///
///     stack work;
///     auto const changed = work.execute("update users set last_login = now() where id = %s", id);
///     auto const rights = work.query<std::string>("select permission from rights where user_id = %s", id);
///     auto const done = work.run(db);
///     done[changed], done[rights]
///
/// Arguments are copied. A stack can be run several times. Not thread-safe.
class stack {
public:
    template <class Row, class... Arguments>
    rows_of<Row> query(sql_text const& sql, Arguments const&... arguments) {
        detail::check_row<Row>();
        return rows_of<Row>(add<Row>(sql, arguments...));
    }

    template <class... Arguments>
    count_of execute(sql_text const& sql, Arguments const&... arguments) {
        return count_of(add<detail::no_rows>(sql, arguments...));
    }

    /// Runs all statements. With `on_error::stop` they are one transaction, and the first failure is thrown, which says which statement
    /// it was; with `on_error::go_on` each commits by itself, and the results tell each outcome.
    [[nodiscard]] stack_results run(database_ref const& where, on_error mode = on_error::stop) const;

    [[nodiscard]] std::size_t size() const noexcept { return statements_.size(); }

private:
    template <class Row, class... Arguments>
    std::size_t add(sql_text const& sql, Arguments const&... arguments) {
        auto kept = std::make_tuple(detail::keep(arguments)...);
        statements_.push_back([&]<class... Kept>(std::tuple<Kept...> tuple) -> std::unique_ptr<detail::stacked_statement> {
            return std::make_unique<detail::stacked<Row, Kept...>>(sql, std::move(tuple));
        }(std::move(kept)));
        return statements_.size() - 1;
    }

    std::vector<std::unique_ptr<detail::stacked_statement>> statements_;
};

namespace detail {

/// How many statements of a batch are bound and sent at a time.
inline constexpr std::size_t batch_size = 1024;

template <class T>
inline constexpr bool is_tuple = false;
template <class... Values>
inline constexpr bool is_tuple<std::tuple<Values...>> = true;
template <class First, class Second>
inline constexpr bool is_tuple<std::pair<First, Second>> = true;

template <class Arguments>
[[nodiscard]] std::unique_ptr<bound_statement> bind_item(connection& connection, limits const& limits, sql_text const& sql,
                                                         Arguments const& item) {
    if constexpr (is_tuple<Arguments>)
        return std::apply([&](auto const&... values) { return std::make_unique<bound_statement>(connection, limits, sql, values...); },
                          item);
    else return std::make_unique<bound_statement>(connection, limits, sql, item);
}

/// Binds a further item of a batch, whose statement is known to fit its arguments.
template <class Arguments>
void bind_further(parameters& bound, connection& connection, limits const& limits, std::vector<std::string> const& names,
                  Arguments const& item) {
    if constexpr (is_tuple<Arguments>) {
        std::apply([&](auto const&... values) { bind_parameters(bound, connection, limits, values...); }, item);
    } else if constexpr (reflect::reflectable<Arguments> && !may_be_positional<Arguments>()) {
        bind_names(bound, connection, limits, names, item);
    } else if constexpr (reflect::reflectable<Arguments>) {
        if (names.empty()) bind_parameters(bound, connection, limits, item);
        else bind_names(bound, connection, limits, names, item);
    } else {
        bind_parameters(bound, connection, limits, item);
    }
}

/// Runs one statement with each item's arguments, pipelined, and gives each answer to `take` in order.
template <std::ranges::input_range Items, class Take>
void run_batch(connection& connection, std::optional<limits> const& given, sql_text const& sql, Items&& items, Take&& take) {
    std::unique_ptr<bound_statement> first;
    std::vector<pipeline_statement> chunk;
    std::size_t size = 0;  // those of the chunk that are used: the others keep their memory
    auto const flush = [&] {
        auto const limits = given ? *given : connection.default_limits();
        for (auto const& answer : run_pipeline(connection, std::span(chunk).first(size), on_error::stop, limits)) take(*answer.rows);
        size = 0;
    };
    auto limits = given ? *given : connection.default_limits();
    for (auto&& item : items) {
        if (!first) first = bind_item(connection, limits, sql, item);
        if (size == chunk.size()) chunk.push_back({first->sql()});
        auto& next = chunk[size++].values;
        next.clear();
        bind_further(next, connection, limits, first->names(), item);
        if (size < batch_size) continue;
        flush();
        limits = given ? *given : connection.default_limits();
    }
    if (size != 0) flush();
}

/// A batch is one transaction, or part of the caller's.
template <class Work>
void in_one_transaction(connection& connection, Work&& work) {
    if (connection.in_transaction()) return work();
    transaction one(connection);
    work();
    one.commit();
}

}  // namespace detail

/// Runs one statement for each item, pipelined, in one transaction: all of them happen, or, where an error is thrown, none. An item is a
/// `std::tuple` of arguments, a struct for parameters by name, or a single value. Returns the sum of the rows they changed.
template <std::ranges::input_range Items>
std::int64_t execute_many(database_ref const& where, sql_text const& sql, Items&& items) {
    database_ref::use const connection(where);
    std::int64_t total = 0;
    detail::in_one_transaction(*connection, [&] {
        detail::run_batch(*connection, connection.given_limits(), sql, items,
                          [&](result const& answer) { total += answer.affected_rows(); });
    });
    return total;
}

/// Like `execute_many`, for statements that return rows, such as INSERT … RETURNING or lookups by key. Returns the rows of all items in
/// their order.
template <class Row, std::ranges::input_range Items>
[[nodiscard]] std::vector<Row> query_many(database_ref const& where, sql_text const& sql, Items&& items) {
    detail::check_row<Row>();
    database_ref::use const connection(where);
    detail::row_plan<Row>::prepare(*connection, connection.limits());
    std::vector<Row> rows;
    std::optional<detail::row_plan<Row>> plan;
    detail::in_one_transaction(*connection, [&] {
        detail::run_batch(*connection, connection.given_limits(), sql, items, [&](result const& answer) {
            if (!plan) plan.emplace(*connection, answer);
            for (int row = 0; row < answer.rows(); ++row) {
                Row value{};
                plan->decode(answer, row, value);
                rows.push_back(std::move(value));
            }
        });
    });
    return rows;
}

#if ISOROW_HAS_CODE

ISOROW_DECL bool stack_results::all_done() const noexcept {
    return std::all_of(entries_.begin(), entries_.end(), [](entry const& one) { return one.outcome == isorow::outcome::done; });
}

ISOROW_DECL std::any const& stack_results::value(std::size_t place) const {
    auto const& one = entries_.at(place);
    if (one.failure) std::rethrow_exception(one.failure);
    if (one.outcome != isorow::outcome::done)
        throw usage_error(text("statement {} of the stack was not executed, because one before it failed", place + 1));
    return one.value;
}

ISOROW_DECL stack_results stack::run(database_ref const& where, on_error mode) const {
    database_ref::use const connection(where);
    auto const limits = connection.limits();
    std::vector<std::unique_ptr<bound_statement>> bound;
    std::vector<pipeline_statement> sent;
    for (auto const& one : statements_) {
        bound.push_back(one->bind(*connection, limits));
        sent.push_back({bound.back()->sql(), bound.back()->values()});
    }
    auto const answers = run_pipeline(*connection, sent, mode, limits);
    stack_results results;
    for (std::size_t place = 0; place < answers.size(); ++place) {
        auto const& answer = answers[place];
        results.entries_.push_back({answer.outcome, answer.failure, {}});
        if (answer.outcome == outcome::done) results.entries_.back().value = statements_[place]->decode(*connection, *answer.rows);
    }
    return results;
}

#endif

}  // namespace isorow::inline v1
