// SPDX-License-Identifier: BSL-1.0
// The report of a training run as one picture: learning curves, misread digits and the confusion matrix.
#pragma once

#include "chart.hpp"
#include "confusion.hpp"
#include "dataset.hpp"
#include "png.hpp"
#include "svg.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace digits {

/// What one pass over the training set led to.
struct epoch {
    float loss;      ///< Mean loss over the training set.
    float accuracy;  ///< Share of the test set read rightly, 0 to 1.
};

/// A picture of the test set that was read wrongly.
struct misread {
    std::size_t index;  ///< Of the picture in the test set.
    int truth;
    int predicted;
};

/// The two learning curves, side by side in the row of panels that begins at y.
inline void draw_curves(svg& page, double y, std::vector<epoch> const& epochs) {
    std::vector<double> losses;
    std::vector<double> percents;
    double highest = 0;
    double lowest = 0;
    double worst = 100;
    for (epoch const& one : epochs) {
        losses.push_back(static_cast<double>(one.loss));
        percents.push_back(100.0 * static_cast<double>(one.accuracy));
        if (std::isfinite(losses.back())) {
            highest = std::max(highest, losses.back());
            lowest = std::min(lowest, losses.back());
        }
        if (std::isfinite(percents.back())) { worst = std::min(worst, percents.back()); }
    }
    draw_chart(page, {40, y, 528, 300, "Training loss", "mean loss", "#b45309", 3}, losses, lowest,
               highest > lowest ? highest : lowest + 1);
    draw_chart(page, {592, y, 528, 300, "Accuracy on the test set", "right answers in %", "#1d4ed8", 1}, percents, std::min(worst, 99.0),
               100);
}

/// Up to 24 misread digits, each above its true digit and what it was taken for.
inline void draw_misreads(svg& page, double x, double y, dataset const& test, std::vector<misread> const& wrong) {
    std::size_t const shown = std::min<std::size_t>(wrong.size(), 24);
    panel(page, x, y, 528, 556, wrong.empty() ? "No misread digits" : "Misread digits");
    if (shown > 0) {
        std::string const which = shown < wrong.size() ? "the first 24 of " : "all ";
        page.text(x + 24, y + 54, "true digit \u2192 answer of the network; " + which + std::to_string(wrong.size()),
                  {.size = 13, .fill = "#52606d"});
    }
    for (std::size_t i = 0; i < shown; ++i) {
        std::array<unsigned char, pixels> grey{};
        std::ranges::transform(test.image(wrong[i].index), grey.begin(), [](float ink) {
            return static_cast<unsigned char>(std::lround(255.0F - 255.0F * std::clamp(ink, 0.0F, 1.0F)));
        });
        std::size_t const row = i / 6;
        double const left = x + 24 + 82 * static_cast<double>(i - 6 * row);
        double const top = y + 74 + 118 * static_cast<double>(row);
        page.image(left, top, 70, 70, png(grey, static_cast<int>(side), static_cast<int>(side)));
        page.rectangle(left - 0.5, top - 0.5, 71, 71, "none", "#d9dee4");
        page.text(left + 35, top + 90, std::to_string(wrong[i].truth) + " \u2192 " + std::to_string(wrong[i].predicted),
                  {.size = 14, .anchor = "middle"});
    }
}

/// The confusion matrix as a heat map. On the diagonal the tint is the share of the row; mistakes, which are
/// rare, are tinted relative to the most frequent one.
inline void draw_confusion(svg& page, double x, double y, confusion const& matrix) {
    panel(page, x, y, 528, 556, "Confusion matrix");
    page.text(x + 24, y + 54, "how often each digit was read as which; blue is right, orange is wrong", {.size = 13, .fill = "#52606d"});
    std::uint64_t worst = 4;  // A single slip stays pale even when there is none more frequent.
    for (int truth = 0; truth < classes; ++truth) {
        for (int read = 0; read < classes; ++read) { worst = truth == read ? worst : std::max(worst, matrix.count(truth, read)); }
    }
    double const cell = 42;
    double const left = x + 72;
    double const top = y + 74;
    type const label{.size = 14, .anchor = "middle", .fill = "#52606d"};
    for (int truth = 0; truth < classes; ++truth) {
        double const row = top + cell * truth;
        page.text(left - 14, row + cell / 2 + 5, std::to_string(truth), label);
        page.text(left + cell * (truth + 0.5), top + cell * classes + 20, std::to_string(truth), label);
        for (int read = 0; read < classes; ++read) {
            std::uint64_t const times = matrix.count(truth, read);
            std::uint64_t const most = truth == read ? std::max<std::uint64_t>(matrix.row_total(truth), 1) : worst;
            double const share = static_cast<double>(times) / static_cast<double>(most);
            double const column = left + cell * read;
            page.rectangle(column, row, cell - 2, cell - 2,
                           times == 0 ? "#f5f7fa" : tint(truth == read ? 0x1d4ed8U : 0xea580cU, 0.12 + 0.78 * share));
            std::string const text = std::to_string(times);
            page.text(column + cell / 2 - 1, row + cell / 2 + 4, text,
                      {.size = text.size() < 5 ? 13.0 : 60.0 / static_cast<double>(text.size()),
                       .anchor = "middle",
                       .fill = times == 0                     ? "#9aa5b1"
                               : truth == read && share > 0.5 ? "#ffffff"
                                                              : "#1f2933"});
        }
    }
    page.text(left + cell * classes / 2, top + cell * classes + 44, "answer of the network", label);
    page.text(x + 32, top + cell * classes / 2, "true digit", label, true);
}

/// Writes the report as an SVG file, 1160 x 1060 pixels, that needs no other file. Throws std::out_of_range
/// when a misread digit is not in the test set, std::runtime_error when the file cannot be written.
inline void write_report(std::filesystem::path const& file, std::vector<epoch> const& epochs, dataset const& test,
                         std::vector<misread> const& wrong, confusion const& matrix,
                         std::string_view title = "Reading handwritten digits") {
    svg page(1160, 1060);
    page.rectangle(0, 0, 1160, 1060, "#f5f7fa");
    page.text(40, 62, title, {.size = 30, .weight = "bold"});
    page.text(40, 92,
              std::to_string(matrix.correct()) + " of " + std::to_string(matrix.total()) + " test digits read rightly (" +
                  fixed(100 * matrix.accuracy(), 1) + " %) after " + std::to_string(epochs.size()) +
                  (epochs.size() == 1 ? " epoch" : " epochs"),
              {.size = 16, .fill = "#52606d"});
    draw_curves(page, 116, epochs);
    draw_misreads(page, 40, 440, test, wrong);
    draw_confusion(page, 592, 440, matrix);
    page.text(1120, 1030, "gradus", {.anchor = "end", .fill = "#9aa5b1"});

    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out << page.finished();
    out.close();
    if (!out) { throw std::runtime_error(file.string() + ": expected to write the report, found that it cannot be written"); }
}

}  // namespace digits
