// SPDX-License-Identifier: BSL-1.0
// The confusion matrix: how often each digit was read as each digit.
#pragma once

#include "dataset.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <stdexcept>
#include <string>

namespace digits {

/// 10 x 10 counts; row = true digit, column = predicted digit.
class confusion {
public:
    /// Counts one reading; throws std::out_of_range unless both digits are 0 to 9.
    void add(int truth, int predicted) { ++counts_[cell(truth, predicted)]; }

    /// How often `truth` was read as `predicted`; throws std::out_of_range unless both are 0 to 9.
    [[nodiscard]] std::uint64_t count(int truth, int predicted) const { return counts_[cell(truth, predicted)]; }

    /// Readings of the true digit `truth`, the sum of its row.
    [[nodiscard]] std::uint64_t row_total(int truth) const {
        std::uint64_t sum = 0;
        for (int predicted = 0; predicted < classes; ++predicted) { sum += count(truth, predicted); }
        return sum;
    }

    /// All readings.
    [[nodiscard]] std::uint64_t total() const {
        std::uint64_t sum = 0;
        for (std::uint64_t const one : counts_) { sum += one; }
        return sum;
    }

    /// Readings on the diagonal.
    [[nodiscard]] std::uint64_t correct() const {
        std::uint64_t sum = 0;
        for (int digit = 0; digit < classes; ++digit) { sum += count(digit, digit); }
        return sum;
    }

    /// correct() / total(), from 0 to 1; 0 before the first reading.
    [[nodiscard]] double accuracy() const {
        auto const all = total();
        return all == 0 ? 0.0 : static_cast<double>(correct()) / static_cast<double>(all);
    }

private:
    static std::size_t cell(int truth, int predicted) {
        if (truth < 0 || truth >= classes || predicted < 0 || predicted >= classes) {
            throw std::out_of_range("confusion: expected digits 0 to 9, found truth " + std::to_string(truth) + " and prediction " +
                                    std::to_string(predicted));
        }
        return static_cast<std::size_t>(truth * classes + predicted);
    }

    std::array<std::uint64_t, static_cast<std::size_t>(classes) * classes> counts_{};
};

/// Prints the counts as an aligned text table, one row per true digit.
inline std::ostream& operator<<(std::ostream& out, confusion const& matrix) {
    std::size_t width = 3;
    for (int truth = 0; truth < classes; ++truth) {
        for (int predicted = 0; predicted < classes; ++predicted) {
            width = std::max(width, std::to_string(matrix.count(truth, predicted)).size());
        }
    }
    // Padded by hand: std::setw would leave the flags of the caller's stream to be saved and restored.
    auto const padded = [width](std::string const& cell) { return std::string(width + 1 - cell.size(), ' ') + cell; };
    out << "true \\ read";
    for (int predicted = 0; predicted < classes; ++predicted) { out << padded(std::to_string(predicted)); }
    out << '\n';
    for (int truth = 0; truth < classes; ++truth) {
        out << std::string(10, ' ') << truth;
        for (int predicted = 0; predicted < classes; ++predicted) {
            auto const times = matrix.count(truth, predicted);
            out << padded(times == 0 ? std::string(".") : std::to_string(times));
        }
        out << '\n';
    }
    return out;
}

}  // namespace digits
