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

/// A bar on a terminal; elsewhere a line for each quarter.
class ProgressBar {
public:
    void show(char const* doing, std::int64_t done, std::int64_t expected) {
        auto const percent = expected > 0 ? std::min<std::int64_t>(100, 100 * done / expected) : 100;
        auto const step = terminal_ ? percent : percent / 25;
        if (step == last_ && doing == doing_) return;
        last_ = step;
        doing_ = doing;
        if (terminal_) {
            std::cout << "\r   " << doing << " [" << std::string(static_cast<std::size_t>(percent / 2), '#') << std::string(static_cast<std::size_t>(50 - percent / 2), ' ') << "] " << percent << " %  "
                      << std::flush;
        } else if (percent > 0) {
            std::cout << "   " << doing << ": " << percent << " %, " << done << " rows\n";
        }
    }
    void finish() const {
        if (terminal_ && doing_ != nullptr) std::cout << '\n';
    }

private:
    bool terminal_ = ::isatty(STDOUT_FILENO) == 1;
    std::int64_t last_ = -1;
    char const* doing_ = nullptr;
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
            for (std::size_t i = 0; i < row.size(); ++i) out << ' ' << std::left << std::setw(i + 1 == row.size() ? 0 : static_cast<int>(widths[i]) + 1) << row[i];
            out << '\n';
        }
        return out;
    }

private:
    std::vector<std::vector<std::string>> rows_;
};
