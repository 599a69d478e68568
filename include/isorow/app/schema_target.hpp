#pragma once

#include <isorow/app/scope.hpp>
#include <isorow/codec/row_encoder.hpp>
#include <isorow/schema/table_schema.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <mutex>
#include <ranges>
#include <string>
#include <typeindex>
#include <typeinfo>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

/// The encoders of the kinds of rows that a table was given, each made with its first row. Thread-safe.
class row_encoders {
public:
    row_encoders(table_schema schema, std::vector<std::uint16_t> places) : schema_(std::move(schema)), places_(std::move(places)) {}

    [[nodiscard]] table_schema const& schema() const noexcept { return schema_; }
    [[nodiscard]] std::vector<std::uint16_t> const& places() const noexcept { return places_; }

    /// Throws `mismatch` where rows of this kind do not fit the table.
    template <class Row>
    [[nodiscard]] row_encoder<Row> const& of() {
        std::lock_guard const lock(mutex_);
        for (auto const& [type, made] : made_)
            if (type == typeid(Row)) return *static_cast<row_encoder<Row> const*>(made.get());
        auto const one = std::make_shared<row_encoder<Row> const>(schema_, places_);
        made_.emplace_back(typeid(Row), one);
        return *one;
    }

private:
    table_schema schema_;
    std::vector<std::uint16_t> places_;
    std::mutex mutex_{};
    std::vector<std::pair<std::type_index, std::shared_ptr<void const>>> made_{};
};

/// A described table and its names, as a shape refers to them.
struct named_schema {
    named_schema(table_schema const& described, std::string schema_name, std::string table_name)
        : encoders(described, places_key_first(described.description())), schema(std::move(schema_name)), table(std::move(table_name)) {}

    row_encoders encoders;
    std::string schema;
    std::string table;
};

/// The shape of the rows of a table that is described at run time.
[[nodiscard]] inline row_shape shape_of(std::shared_ptr<named_schema> const& named) {
    auto const& schema = named->encoders.schema();
    row_shape shape{.table = schema.description(), .places = named->encoders.places()};
    shape.table.schema = named->schema;
    shape.table.name = named->table;
    for (auto const& column : shape.table.columns) shape.values_are_stable = shape.values_are_stable && is_bytewise_stable(column.type);
    for (auto const place : shape.table.key)
        shape.keys_compare_as_bytes = shape.keys_compare_as_bytes && is_bytewise_equal(shape.table.columns[place].type);
    shape.kept_alive = named;
    return shape;
}

}  // namespace detail

/// A table that is described at run time, declared in a run, and takes rows of any kind that has its columns: structs, `dynamic_row`.
/// Otherwise as `table_target`.
class schema_target {
public:
    /// Declares a row for the component of a scope. Throws `mismatch` where rows of this kind do not fit the table, and `unrepresentable`
    /// with field or column, row number and component for a value that its column cannot hold.
    template <class Row>
    void row(scope const& here, Row const& value) const {
        here.require_run(run_, table_->name);
        auto const& encoder = named_->encoders.of<Row>();
        run_->declare_row(*here.component_, *table_, [&](byte_writer& out) {
            auto const policy = table_->declared->options.text;
            if (policy == text_policy::refuse) encoder.encode(value, out);
            else encoder.encode(cleaned(value, named_->encoders.schema(), policy), out);
        });
    }

    /// Declares each row of a range.
    template <std::ranges::input_range Rows>
    void rows(scope const& here, Rows&& values) const {
        for (auto&& value : values) row(here, value);
    }

    /// The table's name with its schema, quoted.
    [[nodiscard]] std::string const& name() const noexcept { return table_->name; }

private:
    friend class pending_schema_target;
    schema_target(std::shared_ptr<detail::app_run> run, detail::run_table& table, std::shared_ptr<detail::named_schema> named)
        : run_(std::move(run)), table_(&table), named_(std::move(named)) {}

    std::shared_ptr<detail::app_run> run_;
    detail::run_table* table_;
    std::shared_ptr<detail::named_schema> named_;
};

/// A table that is described at run time, declared and not yet resolved: see `pending_target`.
class pending_schema_target {
public:
    [[nodiscard]] schema_target resolve() const {
        run_->resolve(*table_);
        return {run_, *table_, named_};
    }

    [[nodiscard]] std::string const& name() const noexcept { return table_->name; }

private:
    friend class scope;
    pending_schema_target(std::shared_ptr<detail::app_run> run, detail::run_table& table, std::shared_ptr<detail::named_schema> named)
        : run_(std::move(run)), table_(&table), named_(std::move(named)) {}

    std::shared_ptr<detail::app_run> run_;
    detail::run_table* table_;
    std::shared_ptr<detail::named_schema> named_;
};

inline pending_schema_target scope::declare_target(table_schema const& schema, target_options options) const {
    auto const named = std::make_shared<detail::named_schema>(schema, options.schema.empty() ? schema.schema() : options.schema,
                                                              options.table.empty() ? schema.name() : options.table);
    if (named->table.empty()) throw usage_error("a target's table has a name: in its schema, or in target_options::table");
    if (named->schema.empty()) named->schema = "public";
    if (schema.key().empty())
        throw usage_error(
            text("the table {} has no primary key, by which a target knows its rows", quote_identifier(named->schema, named->table)));
    auto& table = component_->run().declare_table(*component_, detail::shape_of(named), std::move(options));
    return {component_->shared_run(), table, named};
}

inline schema_target scope::target(table_schema const& schema, target_options options) const {
    return declare_target(schema, std::move(options)).resolve();
}

}  // namespace isorow::inline v1
