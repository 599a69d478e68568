#pragma once

/// @file
/// Arrays whose element type is known at run time only. Those of several dimensions are arrays of arrays. Source: array_send, array_recv.

#include <isorow/codec/array.hpp>
#include <isorow/codec/detail/value_codecs.hpp>
#include <isorow/codec/dynamic_value.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace isorow::inline v1::detail {

/// Appends one array: the header, then the elements one by one.
class array_encoder {
public:
    array_encoder(column_type const& type, byte_writer& out) : element_(element_type(type)), out_(out) {}

    void encode(dynamic_value::array const& elements) {
        measure(elements);
        out_.put_int32(static_cast<std::int32_t>(sizes_.size()));
        auto const has_null = out_.size();
        out_.put_int32(0);
        out_.put_uint32(oid_within(out_, element_.base()));
        for (auto const size : sizes_) {
            out_.put_int32(static_cast<std::int32_t>(size));
            out_.put_int32(1);
        }
        if (!sizes_.empty()) put(elements, 0);
        if (has_null_) out_.overwrite_int32(has_null, 1);
    }

private:
    /// The sizes of the dimensions are those of the first elements; `put` finds the others that differ.
    void measure(dynamic_value::array const& elements) {
        if (elements.empty()) return;
        for (auto const* level = &elements; level != nullptr; level = level->front().get_if<dynamic_value::array>()) {
            if (level->empty()) throw unrepresentable("the array has an empty array for an element");
            if (level->size() > longest_value / sizeof(std::int32_t))
                throw unrepresentable("the array has {} elements, which is more than a Postgres value can have", level->size());
            sizes_.push_back(level->size());
        }
        if (sizes_.size() > array_dimension_limit)
            throw unrepresentable("the array has {} dimensions; Postgres takes at most {}", sizes_.size(), array_dimension_limit);
    }

    void put(dynamic_value::array const& elements, std::size_t dimension) {
        std::size_t place = 0;
        try {
            for (; place < elements.size(); ++place) put_element(elements[place], dimension + 1);
        } catch (value_error const& failure) {
            failure.rethrow_at(text("element {}", place));
        }
    }

    void put_element(dynamic_value const& element, std::size_t dimension) {
        if (dimension == sizes_.size()) return put_scalar(element);
        auto const* const elements = element.get_if<dynamic_value::array>();
        if (elements == nullptr || elements->size() != sizes_[dimension])
            throw unrepresentable("the elements of one dimension are not all arrays of {} elements", sizes_[dimension]);
        put(*elements, dimension);
    }

    void put_scalar(dynamic_value const& element) {
        if (element.is_null()) {
            has_null_ = true;
            return encode_null(out_);
        }
        auto const place = out_.size();
        out_.put_int32(0);
        value_codec_of(element_).encode(element, element_, out_);
        auto const size = out_.size() - place - sizeof(std::int32_t);
        if (size > longest_value) throw unrepresentable("the value takes {} bytes, which is more than a Postgres value can have", size);
        out_.overwrite_int32(place, static_cast<std::int32_t>(size));
    }

    column_type element_;
    byte_writer& out_;
    std::vector<std::size_t> sizes_{};
    bool has_null_ = false;
};

inline void encode_array(dynamic_value const& value, column_type const& type, byte_writer& out) {
    if (auto const* const elements = value.get_if<dynamic_value::array>()) return array_encoder(type, out).encode(*elements);
    if (auto const* const floats = value.get_if<std::vector<float>>(); floats != nullptr)
        return array_encoder(type, out).encode(dynamic_value::array(floats->begin(), floats->end()));
    refuse_type(value, type);
}

/// Takes one array apart.
class array_decoder {
public:
    array_decoder(column_type const& type, byte_reader in) : element_(element_type(type)), in_(in) {}

    [[nodiscard]] dynamic_value::array decode() {
        take_header();
        if (sizes_.empty()) return {};
        auto elements = take_elements(0);
        in_.expect_end();
        return elements;
    }

private:
    /// No size is used before the product of all is compared with the bytes that remain, of which each element needs four.
    void take_header() {
        auto const dimensions = in_.take_int32();
        static_cast<void>(in_.take_int32());
        auto const wanted = entry_of(element_.id).oid;
        if (auto const found = in_.take_uint32(); wanted != 0 && found != wanted)
            throw malformed("an array of elements of type {}, the column's are of type {}", found, wanted);
        if (dimensions < 0 || static_cast<std::size_t>(dimensions) > array_dimension_limit)
            throw malformed("an array of {} dimensions", dimensions);
        std::size_t count = 1;
        for (std::int32_t i = 0; i < dimensions; ++i) {
            auto const size = in_.take_int32();
            static_cast<void>(in_.take_int32());
            if (size <= 0) throw malformed("an array with a dimension of {} elements", size);
            count *= static_cast<std::size_t>(size);
            if (count > in_.remaining() / sizeof(std::int32_t))
                throw malformed("an array of {} elements in {} bytes", count, in_.remaining());
            sizes_.push_back(static_cast<std::size_t>(size));
        }
        if (dimensions == 0) in_.expect_end();
        else if (count > in_.remaining() / sizeof(std::int32_t))
            throw malformed("an array of {} elements in {} bytes", count, in_.remaining());
    }

    [[nodiscard]] dynamic_value::array take_elements(std::size_t dimension) {
        dynamic_value::array elements;
        elements.reserve(sizes_[dimension]);
        try {
            while (elements.size() < sizes_[dimension])
                elements.push_back(dimension + 1 < sizes_.size() ? dynamic_value(take_elements(dimension + 1)) : take_scalar());
        } catch (value_error const& failure) {
            failure.rethrow_at(text("element {}", elements.size()));
        }
        return elements;
    }

    [[nodiscard]] dynamic_value take_scalar() {
        auto const length = in_.take_int32();
        if (length == -1) return null;
        if (length < 0) throw malformed("a length of {}", length);
        return value_codec_of(element_).decode(element_, byte_reader(in_.take_bytes(static_cast<std::size_t>(length))));
    }

    column_type element_;
    byte_reader in_;
    std::vector<std::size_t> sizes_{};
};

[[nodiscard]] inline dynamic_value decode_array(column_type const& type, byte_reader in) { return array_decoder(type, in).decode(); }

}  // namespace isorow::inline v1::detail
