#pragma once

/// @file
/// What the example prints with: a stopwatch, a progress bar and a table.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iomanip>
#include <iostream>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

class Stopwatch {
public:
    [[nodiscard]] double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count(); }

private:
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

[[nodiscard]] inline std::string fixed(double value, int digits) {
    std::ostringstream text;
    text << std::fixed << std::setprecision(digits) << value;
    return text.str();
}

/// A bar on a terminal; elsewhere a line for each tenth.
class ProgressBar {
public:
    void show(std::string_view doing, std::int64_t done, std::int64_t expected) {
        auto const percent = expected > 0 ? std::min<std::int64_t>(100, 100 * done / expected) : 100;
        auto const step = terminal_ ? percent : percent / 10;
        if (step == last_ && doing == doing_) return;
        last_ = step;
        doing_ = doing;
        if (terminal_) {
            std::string const full(static_cast<std::size_t>(percent / 2), '#');
            std::string const empty(50 - full.size(), ' ');
            std::cout << "\r   " << std::left << std::setw(9) << doing << " [" << full << empty << "] " << std::right << std::setw(3)
                      << percent << " %" << std::flush;
        } else if (percent > 0) {
            std::cout << "   " << doing << ": " << percent << " %, " << done << " rows\n";
        }
    }
    void finish() const {
        if (terminal_ && !doing_.empty()) std::cout << '\n';
    }

private:
    bool terminal_ = ::isatty(STDOUT_FILENO) == 1;
    std::int64_t last_ = -1;
    std::string_view doing_;
};

/// Columns under their headings, each as wide as its widest cell.
class Table {
public:
    explicit Table(std::vector<std::string> headings) : rows_{std::move(headings)} {}

    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

    friend std::ostream& operator<<(std::ostream& out, Table const& table) {
        std::vector<std::size_t> widths(table.rows_.front().size());
        for (auto const& row : table.rows_)
            for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
        for (auto const& row : table.rows_) {
            out << "  ";
            for (std::size_t i = 0; i < row.size(); ++i) {
                auto const is_last = i + 1 == row.size();
                out << ' ' << std::left << std::setw(is_last ? 0 : static_cast<int>(widths[i]) + 1) << row[i];
            }
            out << '\n';
        }
        return out;
    }

private:
    std::vector<std::vector<std::string>> rows_;
};
