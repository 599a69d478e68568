#pragma once

/// @file
/// Resources that an app's components use, found by typed keys.

#include <isorow/config.hpp>
#include <isorow/error/error.hpp>
#include <isorow/error/suggest.hpp>
#include <isorow/reflect/type_name.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <typeindex>
#include <typeinfo>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// The name of a resource and its type: `inline context_key<embedder> const model_key{"model"};`. A `context_key<T const>` gives a T that
/// cannot be changed, which is what components on several threads should share.
template <class T>
class context_key {
public:
    explicit context_key(std::string name) : name_(std::move(name)) {
        if (name_.empty()) throw usage_error("a context key has a name");
    }

    [[nodiscard]] std::string const& name() const noexcept { return name_; }

private:
    std::string name_;
};

namespace detail {

/// The resources of an app. Shared unchanged by a run's components; the app makes another one when a resource is added.
class context {
public:
    template <class T>
    void provide(context_key<T> const& key, std::shared_ptr<T> value) {
        entries_.insert_or_assign(key.name(),
                                  entry{typeid(T), std::string(type_name<T>()), std::const_pointer_cast<std::remove_const_t<T>>(value)});
    }

    /// Throws `usage_error`, naming the key, where there is no such resource, or one of another type.
    template <class T>
    [[nodiscard]] T& use(context_key<T> const& key) const {
        auto const found = entries_.find(key.name());
        if (found == entries_.end())
            throw usage_error(text("no value was provided for the context key \"{}\"{}", key.name(), did_you_mean(key.name(), names())));
        // typeid does not tell T from T const, so that a resource may be used by a key that does not change it.
        if (found->second.type != typeid(T))
            throw usage_error(text("the context key \"{}\" is of type {}, but a value of type {} was provided for it", key.name(),
                                   type_name<T>(), found->second.type_name));
        return *static_cast<T*>(found->second.value.get());
    }

private:
    struct entry {
        std::type_index type;
        std::string type_name;
        std::shared_ptr<void> value;
    };

    [[nodiscard]] std::vector<std::string_view> names() const;

    std::map<std::string, entry> entries_{};
};

}  // namespace detail

#if ISOROW_HAS_CODE

namespace detail {

ISOROW_DECL std::vector<std::string_view> context::names() const {
    std::vector<std::string_view> all;
    all.reserve(entries_.size());
    for (auto const& [name, value] : entries_) all.push_back(name);
    return all;
}

}  // namespace detail

#endif

}  // namespace isorow::inline v1
