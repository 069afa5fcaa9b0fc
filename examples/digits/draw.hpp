// SPDX-License-Identifier: BSL-1.0
// Draws handwritten-looking digits, so that the example has something to read without any download.
#pragma once

#include "dataset.hpp"
#include "glyphs.hpp"
#include "splitmix.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace digits {

// All geometry is in integers, so that no compiler's rounding or fused multiply-add can change a picture.
inline constexpr int per_pixel = 256;                             ///< Units of length per pixel.
inline constexpr int paper = static_cast<int>(side) * per_pixel;  ///< Width and height of the paper.

/// One round of corner cutting towards a quadratic B-spline: each edge ab becomes (3a+b)/4, (a+3b)/4; the two
/// ends stay. Source: G. Chaikin, "An algorithm for high-speed curve generation", CGIP 3, 1974.
[[nodiscard]] inline stroke smooth(stroke const& line) {
    stroke cut{line.front()};
    for (std::size_t i = 0; i + 1 < line.size(); ++i) {
        point const a = line[i];
        point const b = line[i + 1];
        cut.push_back({(3 * a.x + b.x) / 4, (3 * a.y + b.y) / 4});
        cut.push_back({(a.x + 3 * b.x) / 4, (a.y + 3 * b.y) / 4});
    }
    cut.push_back(line.back());
    return cut;
}

/// A writer's hand: the glyph's strokes moved by a random wobble, slant, scale and rotation onto the paper,
/// smoothed, centred up to a random shift of about a pixel, and `margin` units away from the paper's edges as long
/// as they fit.
[[nodiscard]] inline std::vector<stroke> write_strokes(glyph const& shape, int margin, splitmix& random) {
    constexpr int one = 1024;           // Denominator of the numbers below.
    int const turn = random.bell(350);  // Rotation in radians; small, so cos = 1 - turn^2 / 2.
    int const cosine = one - turn * turn / (2 * one);
    int const slant = 120 + random.bell(700);  // Sideways move per height; most people lean to the right.
    int const height = random.between(15, 19) * per_pixel;
    int const width = height * (900 + random.bell(450)) / one;

    std::vector<stroke> lines;
    int left = std::numeric_limits<int>::max();
    int top = left;
    int right = std::numeric_limits<int>::min();
    int bottom = right;
    for (stroke const& plan : shape.strokes) {
        stroke line;
        for (point const p : plan) {
            if (!line.empty() && p == plan[line.size() - 1]) {
                line.push_back(line.back());  // A corner stays a corner.
                continue;
            }
            int const y = (p.y - 50 + random.bell(18)) * height / 100;
            int const x = (p.x - 50 + random.bell(18)) * width / 100 - y * slant / one;
            line.push_back({(x * cosine - y * turn) / one, (x * turn + y * cosine) / one});
        }
        lines.push_back(smooth(smooth(smooth(line))));
        for (point const p : lines.back()) {
            left = std::min(left, p.x);
            right = std::max(right, p.x);
            top = std::min(top, p.y);
            bottom = std::max(bottom, p.y);
        }
    }

    auto const shift = [margin, &random](int low, int high) {
        int const centred = (paper - low - high) / 2;
        int const slack = std::max(0, (paper - (high - low)) / 2 - margin);
        return centred + std::clamp(random.bell(3 * per_pixel), -slack, slack);
    };
    int const dx = shift(left, right);
    int const dy = shift(top, bottom);
    for (stroke& line : lines) {
        for (point& p : line) { p = {p.x + dx, p.y + dy}; }
    }
    return lines;
}

/// Squared distance of every pixel centre to the nearest point of the strokes, as far as it is below reach^2.
using distances = std::array<std::int64_t, pixels>;

/// Lowers `nearest` to the squared distances from the edge ab. Only pixels less than `reach` away are visited.
inline void approach(distances& nearest, point a, point b, int reach) {
    auto const first = [reach](int low) { return std::max(0, (low - reach) / per_pixel); };
    auto const last = [reach](int high) { return std::min(static_cast<int>(side) - 1, (high + reach) / per_pixel); };
    std::int64_t const ex = b.x - a.x;
    std::int64_t const ey = b.y - a.y;
    std::int64_t const length2 = ex * ex + ey * ey;
    for (int row = first(std::min(a.y, b.y)); row <= last(std::max(a.y, b.y)); ++row) {
        for (int column = first(std::min(a.x, b.x)); column <= last(std::max(a.x, b.x)); ++column) {
            std::int64_t const px = column * per_pixel + per_pixel / 2 - a.x;
            std::int64_t const py = row * per_pixel + per_pixel / 2 - a.y;
            std::int64_t const along = std::clamp<std::int64_t>(px * ex + py * ey, 0, length2);
            std::int64_t const dx = length2 == 0 ? px : px - ex * along / length2;
            std::int64_t const dy = length2 == 0 ? py : py - ey * along / length2;
            auto& pixel = nearest[static_cast<std::size_t>(row) * side + static_cast<std::size_t>(column)];
            pixel = std::min(pixel, dx * dx + dy * dy);
        }
    }
}

/// Draws n digits in random order, each of the ten n/10 times (rounded up or down); ink is 1 on paper 0, in
/// steps of 1/255. The same n and seed give the same bits on every platform.
[[nodiscard]] inline dataset draw(std::size_t n, std::uint64_t seed) {
    dataset drawn;
    auto const order = shuffled_order(n, seed);
    drawn.images.reserve(n * pixels);
    drawn.labels.reserve(n);
    splitmix random(~seed);  // Not the sequence that shuffled the order.
    for (std::size_t const place : order) {
        int const label = static_cast<int>(place % static_cast<std::size_t>(classes));
        auto const [from, to] = std::equal_range(glyphs().begin(), glyphs().end(), glyph{label, {}},
                                                 [](glyph const& a, glyph const& b) { return a.label < b.label; });
        glyph const& shape = *(from + random.between(0, static_cast<int>(to - from) - 1));

        int const radius = 230 + random.between(-60, 150);  // Half the width of the pen.
        int const reach = radius + per_pixel / 2;           // Ink fades to nothing over the pixel's width.
        distances nearest{};
        nearest.fill(std::int64_t{reach} * reach);
        for (stroke const& line : write_strokes(shape, reach, random)) {
            for (std::size_t i = 0; i + 1 < line.size(); ++i) { approach(nearest, line[i], line[i + 1], reach); }
        }
        for (std::int64_t const squared : nearest) {
            // IEEE 754 rounds square roots correctly, so this floor is the same everywhere.
            int const ink = reach - static_cast<int>(std::sqrt(static_cast<double>(squared)));
            int const grain = ink > 0 ? random.bell(30) : 0;
            drawn.images.push_back(static_cast<float>(std::clamp(ink + grain, 0, 255)) / 255.0F);
        }
        drawn.labels.push_back(label);
    }
    return drawn;
}

}  // namespace digits
