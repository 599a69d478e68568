// A target for each C++ type of the list, and for arrays of some.

#include <fuzz/target.hpp>
#include <support/same_value.hpp>
#include <support/value_types.hpp>

#include <algorithm>
#include <cctype>
#include <concepts>
#include <optional>
#include <string>
#include <vector>

namespace {

template <class T>
fuzz::bytes encoded(T const& value) {
    isorow::byte_writer out;
    isorow::encode<isorow::codec<T>>(value, out);
    return fuzz::bytes_of(out.bytes());
}

template <class T>
T decoded(fuzz::input bytes) {
    return isorow::codec<T>::decode(isorow::byte_reader(bytes));
}

/// Whether all bytes of a value's size are a value of their own, or none. All bytes but 0 are true.
template <class T>
inline constexpr bool has_one_image =
    isorow::fixed_size_codec<isorow::codec<T>> && isorow::codec<T>::bytewise_stable && !std::same_as<T, bool>;

/// What decodes is encoded to bytes that are the same value, and are themselves encoded to the same bytes.
template <class T>
void run_value(fuzz::input bytes) {
    T const value = decoded<T>(bytes);
    fuzz::bytes image;
    if (!fuzz::is_encoded([&] { image = encoded(value); })) return;
    T const again = decoded<T>(image);
    fuzz::uncounted const comparing;
    fuzz::require(test::same(value, again), "the value is another one when it is encoded and decoded");
    fuzz::require(encoded(again) == image, "the value is encoded in two ways");
    if constexpr (has_one_image<T>)
        fuzz::require(bytes.size() != image.size() || std::ranges::equal(bytes, image), "the value was decoded as another one");
}

/// The example and a few random values, always the same.
template <class T>
std::vector<fuzz::bytes> seeds_of(T const& example, rc::Gen<T> const& values) {
    std::vector<fuzz::bytes> seeds{encoded(example)};
    rc::Random random(20261127);
    for (int i = 0; i < 7; ++i) seeds.push_back(encoded(values(random.split(), 20).value()));
    std::erase_if(seeds, [](fuzz::bytes const& seed) { return seed.size() > 400; });
    return seeds;
}

/// `value-std-vector-std-byte`, so that it can be a folder's name.
std::string target_name(std::string_view type) {
    std::string name = "value";
    bool breaks = true;
    for (char const character : type) {
        if (std::isalnum(static_cast<unsigned char>(character)) == 0 && character != '_') {
            breaks = true;
            continue;
        }
        if (breaks) name += '-';
        breaks = false;
        name += character;
    }
    return name;
}

template <class T>
void add_array(std::string name) {
    using array = std::vector<std::optional<T>>;
    fuzz::registered(std::move(name), &run_value<array>,
                     [] { return seeds_of<array>(array{std::nullopt}, test::random_field<array>::any()); });
}

bool const values = [] {
    test::for_each_value_type([]<class T>(test::value_type<T> const& type) {
        fuzz::registered(target_name(type.name), &run_value<T>, [&type] { return seeds_of<T>(type.value, type.values); });
    });
    add_array<bool>("array-boolean");
    add_array<std::int64_t>("array-bigint");
    add_array<isorow::numeric>("array-numeric");
    add_array<std::string>("array-text");
    return true;
}();

/// A vector whose dimension is its column's.
constexpr isorow::column_type embedding{isorow::type_id::vector, false, 3};
fuzz::registered const floats(
    "vector-of-column",
    [](fuzz::input bytes) {
        using codec = isorow::codec<std::vector<float>, embedding>;
        auto const value = codec::decode(isorow::byte_reader(bytes));
        isorow::byte_writer out;
        if (!fuzz::is_encoded([&] { isorow::encode<codec>(value, out); })) return;
        fuzz::require(test::same(codec::decode(isorow::byte_reader(out.bytes())), value), "the vector is another one");
    },
    [] { return std::vector<fuzz::bytes>{fuzz::bytes_of(std::string_view("\0\3\0\0\x3f\x80\0\0\0\0\0\0\x80\0\0\0", 16))}; });

}  // namespace
