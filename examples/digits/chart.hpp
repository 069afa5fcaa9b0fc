// SPDX-License-Identifier: BSL-1.0
// A line chart of one quantity over the epochs.
#pragma once

#include "svg.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace digits {

/// Tick marks at first, first + step, ..., `count` of them, that enclose the data.
struct ticks {
    double first;
    double step;
    int count;
    [[nodiscard]] double at(int index) const { return first + index * step; }
    [[nodiscard]] double last() const { return at(count - 1); }

    /// at(index) as text, all of them with equally many decimals unless they are very large or very small.
    [[nodiscard]] std::string name(int index) const {
        double const value = std::abs(at(index)) < 1e-9 * step ? 0.0 : at(index);  // 0, not a rest like 1e-17.
        bool const plain = step > 1e-4 && std::abs(last()) < 1e6;
        return plain ? fixed(value, std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)))) : number(value, 4);
    }
};

/// About `wanted` ticks around [low, high], with a step of 1, 2 or 5 times a power of ten, at least `least`.
[[nodiscard]] inline ticks round_ticks(double low, double high, int wanted, double least = 0) {
    double const size = std::max({std::abs(low), std::abs(high), 1e-30});
    double const span = std::max(high - low, size * 1e-3);  // Something to draw around a constant.
    double const raw = std::max(span / wanted, least);
    double const power = std::pow(10.0, std::floor(std::log10(raw)));
    double const times = raw / power;
    double const step = power * (times <= 1.0 + 1e-9 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10);
    double const first = step * std::floor(low / step + 1e-9);
    return {first, step, 2 + static_cast<int>(std::ceil((low + span - first) / step - 1e-9)) - 1};
}

/// What a chart says and where.
struct chart {
    double x, y, width, height;  ///< The panel, in pixels.
    std::string_view title;
    std::string_view quantity;  ///< Label of the y axis, with its unit.
    std::string_view colour;
    int decimals;  ///< Of the number written at the last point.
};

/// A white panel with a heading, the frame of every part of the page.
inline void panel(svg& page, double x, double y, double width, double height, std::string_view title) {
    page.rectangle(x, y, width, height, "#ffffff", "#d9dee4", 8);
    page.text(x + 24, y + 34, title, {.size = 17, .weight = "bold"});
}

/// Draws values[i], reached after epoch i + 1, with the y axis reaching from `low` or below to `high` or above.
/// Values that are not finite leave a gap in the line.
inline void draw_chart(svg& page, chart const& look, std::vector<double> const& values, double low, double high) {
    panel(page, look.x, look.y, look.width, look.height, look.title);
    double const left = look.x + 76;
    double const right = look.x + look.width - 58;  // Room for the number at the last point.
    double const top = look.y + 60;
    double const bottom = look.y + look.height - 56;
    std::string_view const soft = "#52606d";

    ticks const up = round_ticks(low, high, 5);
    auto const y_of = [&](double value) { return bottom - (bottom - top) * ((value - up.first) / (up.last() - up.first)); };
    for (int i = 0; i < up.count; ++i) {
        double const y = y_of(up.at(i));
        page.line(left, y, right, y, i == 0 ? "#7b8794" : "#e4e7eb");
        page.text(left - 8, y + 4, up.name(i), {.anchor = "end", .fill = soft});
    }
    page.text(look.x + 24, (top + bottom) / 2, look.quantity, {.size = 13, .anchor = "middle", .fill = soft}, true);
    page.text((left + right) / 2, bottom + 40, "epoch", {.size = 13, .anchor = "middle", .fill = soft});
    if (values.empty()) {
        page.text((left + right) / 2, (top + bottom) / 2, "no epochs", {.anchor = "middle", .fill = soft});
        return;
    }

    auto const epochs = static_cast<double>(values.size());
    auto const x_of = [&](double epoch) {
        return epochs > 1 ? left + 12 + (right - left - 24) * (epoch - 1) / (epochs - 1) : (left + right) / 2;
    };
    ticks const along = round_ticks(1, epochs, 10, 1);
    for (int i = 0; i < along.count; ++i) {
        if (double const epoch = along.at(i); epoch >= 1 && epoch <= epochs) {
            page.line(x_of(epoch), bottom, x_of(epoch), bottom + 5, "#7b8794");
            page.text(x_of(epoch), bottom + 20, along.name(i), {.anchor = "middle", .fill = soft});
        }
    }
    std::string data;
    bool drawing = false;
    for (std::size_t i = 0; i < values.size(); ++i) {
        bool const finite = std::isfinite(values[i]);
        double const x = x_of(static_cast<double>(i) + 1);
        if (finite) { data += (drawing ? 'L' : 'M') + number(x) + ' ' + number(y_of(values[i])); }
        drawing = finite;
    }
    page.path(data, look.colour, 2.5);
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::isfinite(values[i]) && (values.size() <= 40 || i + 1 == values.size())) {
            page.circle(x_of(static_cast<double>(i) + 1), y_of(values[i]), 3.5, look.colour);
        }
    }
    double const final = values.back();
    page.text(right - 2, std::isfinite(final) ? y_of(final) + 4 : top,
              std::abs(final) < 1e4 ? fixed(final, look.decimals) : number(final, 3), {.size = 13, .fill = look.colour, .weight = "bold"});
}

}  // namespace digits
