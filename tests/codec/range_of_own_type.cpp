// A type of the program's with a column of its own is a range's as isorow's types are.

#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/scalars.hpp>
#include <isorow/query/query.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace {

/// A number of a ticket, printed as a number. Its codec does not know a value's size before it writes.
struct Ticket {
    std::int64_t number = 0;

    static std::optional<Ticket> parse(std::string_view text) {
        auto const number = isorow::detail::parse_integer<std::int64_t>(text);
        return number ? std::optional(Ticket{*number}) : std::nullopt;
    }
    friend std::string to_string(Ticket ticket) { return std::to_string(ticket.number); }
    friend auto operator<=>(Ticket const&, Ticket const&) = default;
};

}  // namespace

template <>
struct isorow::mapping<Ticket> {
    static constexpr column_type type{type_id::int8};
};

template <>
struct isorow::range_step<Ticket> {
    static constexpr Ticket next(Ticket ticket) { return {range_step<std::int64_t>::next(ticket.number)}; }
};

template <isorow::column_type As>
    requires(As == isorow::column_type{isorow::type_id::int8})
struct isorow::codec<Ticket, As> {
    static constexpr bool bytewise_stable = true;
    static constexpr bool bytewise_equal = true;

    static void encode(Ticket ticket, byte_writer& out) {
        if (ticket.number < 0) throw unrepresentable("a ticket with the number {}", ticket.number);
        out.put_int64(ticket.number);
    }
    static Ticket decode(byte_reader in) {
        Ticket const ticket{in.take_int64()};
        in.expect_end();
        return ticket;
    }
};

TEST_CASE("ranges of a type of the program's are read, written, printed and compared") {
    auto connection = test::connect();
    using tickets = isorow::range<Ticket>;
    auto const sold = tickets::closed({1}, {9});
    CHECK(sold == tickets({1}, {10}));
    CHECK(to_string(sold) == "[1,10)");
    CHECK(tickets::parse("(0,9]") == sold);
    CHECK(isorow::query_one<tickets>(connection, "SELECT $1", sold) == sold);
    CHECK(isorow::query_one<tickets>(connection, "SELECT int8range(NULL, 5)") == tickets::less_than({5}));
    CHECK(isorow::query_one<std::string>(connection, "SELECT $1::text", sold) == "[1,10)");
    isorow::multirange<Ticket> const all{tickets::at_least({20}), sold};
    CHECK(isorow::query_one<std::tuple<isorow::multirange<Ticket>, bool>>(connection, "SELECT $1, $1 @> $2", all, Ticket{21}) ==
          std::tuple(all, true));
    CHECK_THROWS_MATCHES(isorow::query_one<tickets>(connection, "SELECT $1", tickets::at_least({-1})), isorow::unrepresentable,
                         test::says("parameter $1: the range's lower bound: a ticket with the number -1"));
    CHECK_THROWS_AS(tickets::at_most({std::numeric_limits<std::int64_t>::max()}), isorow::unrepresentable);
}
