// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <sstream>
#include <string>
#include <vector>

// The exact values of exact.txt, made by tools/exact.py, and what the table of docs/operations.md says of errors.
namespace exact {

inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// The largest errors of value, first and second derivatives.
using errors = std::array<double, 3>;

/// Errors are in ulp of the exact number, of 16 times the smallest normal one where that is smaller: what is made of denormal
/// numbers has no more digits, and operations such as silu multiply them by up to 750.
template <class T>
double ulps(T got, double exact) {
    if (std::isnan(exact)) return std::isnan(got) ? 0 : infinity;
    using limits = std::numeric_limits<T>;
    if (static_cast<double>(got) == static_cast<double>(static_cast<T>(exact))) return 0;
    auto const most = static_cast<double>(limits::max());
    double const limited = std::clamp(exact, -most, most);
    // infinity is beside the largest number
    double const number = std::isinf(got) && std::abs(limited) > most * (1 - 64 * static_cast<double>(limits::epsilon()))
                              ? std::copysign(most, static_cast<double>(got))
                              : static_cast<double>(got);
    double const error =
        std::abs(number - limited) /
        std::ldexp(1.0, std::ilogb(std::max(std::abs(limited), 16 * static_cast<double>(limits::min()))) - limits::digits + 1);
    return std::isnan(error) ? infinity : error;
}

struct row {
    std::vector<double> x, exact;  ///< NaN where nothing is compared
};
struct subject {
    std::string name;
    int operands;
    std::vector<row> rows;
};
inline std::vector<subject> read_subjects() {
    char const* folder = std::getenv("GRADUS_GOLDEN");
    REQUIRE(folder);
    std::ifstream file(std::string(folder) + "/exact.txt");
    REQUIRE(file);
    std::vector<subject> found;
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string name, word;
        int operands = 0;
        words >> name >> operands;
        if (found.empty() || found.back().name != name) found.push_back({name, operands, {}});
        row r;
        while (words >> word)
            (static_cast<int>(r.x.size()) < operands ? r.x : r.exact)
                .push_back(word == "~" ? std::numeric_limits<double>::quiet_NaN() : std::strtod(word.c_str(), nullptr));
        found.back().rows.push_back(r);
    }
    return found;
}

/// What the table of docs/operations.md promises: `| name | float | double | reason |`, three numbers for each type.
struct promise {
    std::array<errors, 2> allowed;
    bool reasoned;
};
inline std::map<std::string, promise, std::less<>> read_promises() {
    std::ifstream file(std::string(std::getenv("GRADUS_GOLDEN")) + "/../../docs/operations.md");
    REQUIRE(file);
    std::map<std::string, promise, std::less<>> found;
    std::string line;
    while (std::getline(file, line) && line != "## Errors") {}
    while (std::getline(file, line) && line.rfind("## ", 0) != 0) {
        std::array<std::string, 4> cells;
        std::istringstream text(line);
        std::string cell;
        std::getline(text, cell, '|');
        for (std::string& c : cells) std::getline(text, c, '|');
        if (cells[0].size() < 4 || cells[0][1] != '`') continue;
        promise p{{}, cells[3].find_first_not_of(' ') != std::string::npos};
        for (std::size_t type = 0; type < 2; ++type) {
            std::istringstream numbers(cells[type + 1]);
            for (double& number : p.allowed[type]) {
                REQUIRE(static_cast<bool>(numbers >> cell));
                number = cell == "inf" ? infinity : std::strtod(cell.c_str(), nullptr);
            }
        }
        found[cells[0].substr(2, cells[0].size() - 4)] = p;
    }
    return found;
}

}  // namespace exact
