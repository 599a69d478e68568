#pragma once

#include <iomanip>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

/// What a figure has to be.
struct Limit {
    enum class Kind { at_most, at_least, exactly };
    Kind kind;
    double value;

    [[nodiscard]] bool holds(double measured) const noexcept {
        return kind == Kind::at_most ? measured <= value : kind == Kind::at_least ? measured >= value : measured == value;
    }
};

[[nodiscard]] constexpr Limit at_most(double value) { return {Limit::Kind::at_most, value}; }
[[nodiscard]] constexpr Limit at_least(double value) { return {Limit::Kind::at_least, value}; }
[[nodiscard]] constexpr Limit exactly(double value) { return {Limit::Kind::exactly, value}; }

[[nodiscard]] inline std::string to_string(Limit const& limit) {
    std::ostringstream text;
    text << (limit.kind == Limit::Kind::at_most    ? "at most "
             : limit.kind == Limit::Kind::at_least ? "at least "
                                                   : "exactly ")
         << std::setprecision(12) << limit.value;
    return text.str();
}

struct Figure {
    std::string workload;
    std::string table;
    std::string contender;
    std::string metric;
    double value;
    std::string unit;
    std::optional<Limit> limit{};
};

inline void print_figures(std::ostream& out, std::vector<Figure> const& figures) {
    out << std::left << std::setw(12) << "workload" << std::setw(8) << "table" << std::setw(12) << "contender" << std::setw(24) << "metric"
        << std::right << std::setw(14) << "value" << "  unit\n";
    for (auto const& figure : figures) {
        if (figure.limit) continue;
        out << std::left << std::setw(12) << figure.workload << std::setw(8) << figure.table << std::setw(12) << figure.contender
            << std::setw(24) << figure.metric << std::right << std::setw(14) << std::fixed
            << std::setprecision(figure.value < 10'000 ? 1 : 0) << figure.value << "  " << figure.unit << '\n';
    }
}

/// Those that have a limit, with whether it holds.
inline void print_limits(std::ostream& out, std::vector<Figure> const& figures) {
    out << std::left << std::setw(12) << "workload" << std::setw(8) << "table" << std::setw(12) << "contender" << std::setw(24) << "metric"
        << std::right << std::setw(14) << "value" << "  " << std::left << std::setw(20) << "limit" << "holds\n";
    for (auto const& figure : figures) {
        if (!figure.limit) continue;
        out << std::left << std::setw(12) << figure.workload << std::setw(8) << figure.table << std::setw(12) << figure.contender
            << std::setw(24) << figure.metric << std::right << std::setw(14) << std::fixed
            << std::setprecision(figure.value < 10'000 ? 2 : 0) << figure.value << "  " << std::left << std::setw(20)
            << to_string(*figure.limit) << (figure.limit->holds(figure.value) ? "yes" : "NO") << '\n';
    }
}

inline void write_json(std::ostream& out, std::vector<Figure> const& figures) {
    out << "[\n" << std::setprecision(12);
    for (std::size_t i = 0; i < figures.size(); ++i) {
        auto const& figure = figures[i];
        out << R"(  {"workload": ")" << figure.workload << R"(", "table": ")" << figure.table << R"(", "contender": ")" << figure.contender
            << R"(", "metric": ")" << figure.metric << R"(", "value": )" << figure.value << R"(, "unit": ")" << figure.unit << '"';
        if (figure.limit)
            out << R"(, "limit": ")" << to_string(*figure.limit) << R"(", "holds": )"
                << (figure.limit->holds(figure.value) ? "true" : "false");
        out << '}' << (i + 1 < figures.size() ? "," : "") << '\n';
    }
    out << "]\n";
}
