// SPDX-License-Identifier: BSL-1.0
// Writes an SVG drawing as text. Units are pixels, the origin is at the top left, y grows downwards.
#pragma once

#include "png.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

namespace digits {

/// `value` with up to `precision` significant digits and a decimal point in every locale; "nan" or "inf" if so.
[[nodiscard]] inline std::string number(double value, int precision = 6) {
    std::array<char, 64> text{};
    auto const written = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, precision);
    return {text.data(), written.ptr};
}

/// `value` with exactly `decimals` digits after the point, e.g. "97.30"; below 1e40 it fits.
[[nodiscard]] inline std::string fixed(double value, int decimals) {
    std::array<char, 64> text{};
    auto const written = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, decimals);
    return {text.data(), written.ptr};
}

/// A mixture of white (share 0) and the colour (share 1), each given as 0xRRGGBB, as "#rrggbb".
[[nodiscard]] inline std::string tint(unsigned colour, double share) {
    std::string text = "#";
    for (unsigned shift = 24; shift > 0; shift -= 8) {
        double const full = colour >> (shift - 8U) & 0xffU;
        auto const mixed = static_cast<unsigned>(std::lround(255.0 + (full - 255.0) * share));
        text += "0123456789abcdef"[mixed >> 4U];
        text += "0123456789abcdef"[mixed & 15U];
    }
    return text;
}

/// How to set a line of text.
struct type {
    double size = 12;                   ///< Height of the font in pixels.
    std::string_view anchor = "start";  ///< "start", "middle" or "end": what of the text stands at x.
    std::string_view fill = "#1f2933";
    std::string_view weight = "normal";
};

/// A drawing under construction; the elements lie on top of each other in the order of the calls.
class svg {
public:
    svg(double width, double height)
        : text_(R"(<?xml version="1.0" encoding="UTF-8"?>)"
                "\n"
                R"(<svg xmlns="http://www.w3.org/2000/svg")" +
                pair("width", width) + pair("height", height) + R"( viewBox="0 0 )" + number(width) + ' ' + number(height) +
                R"(" font-family="'Helvetica Neue', Arial, 'Liberation Sans', sans-serif">)"
                "\n") {}

    void rectangle(double x, double y, double width, double height, std::string_view fill, std::string_view edge = "none",
                   double radius = 0) {
        text_ += "<rect" + pair("x", x) + pair("y", y) + pair("width", width) + pair("height", height) + pair("rx", radius) +
                 pair("fill", fill) + pair("stroke", edge) + "/>\n";
    }

    void line(double x1, double y1, double x2, double y2, std::string_view colour) {
        text_ += "<line" + pair("x1", x1) + pair("y1", y1) + pair("x2", x2) + pair("y2", y2) + pair("stroke", colour) + "/>\n";
    }

    void circle(double x, double y, double radius, std::string_view fill) {
        text_ += "<circle" + pair("cx", x) + pair("cy", y) + pair("r", radius) + pair("fill", fill) + "/>\n";
    }

    /// A line along SVG path data, e.g. "M0 0L10 5".
    void path(std::string_view data, std::string_view colour, double width) {
        text_ += "<path" + pair("d", data) + pair("stroke", colour) + pair("stroke-width", width) +
                 R"( fill="none" stroke-linejoin="round" stroke-linecap="round"/>)"
                 "\n";
    }

    /// Text with its baseline at y; with `turned` it runs upwards through (x, y).
    void text(double x, double y, std::string_view words, type const& face = {}, bool turned = false) {
        text_ += "<text" + pair("x", x) + pair("y", y) + pair("font-size", face.size) + pair("text-anchor", face.anchor) +
                 pair("fill", face.fill) + pair("font-weight", face.weight) +
                 (turned ? pair("transform", "rotate(-90 " + number(x) + ' ' + number(y) + ')') : "") + '>' + escaped(words) + "</text>\n";
    }

    /// The PNG file `bytes`, enlarged to width x height with visible pixels.
    void image(double x, double y, double width, double height, std::string_view bytes) {
        text_ += "<image" + pair("x", x) + pair("y", y) + pair("width", width) + pair("height", height) +
                 R"( style="image-rendering:pixelated" href="data:image/png;base64,)" + base64(bytes) + "\"/>\n";
    }

    /// The whole file.
    [[nodiscard]] std::string finished() const { return text_ + "</svg>\n"; }

private:
    static std::string escaped(std::string_view words) {
        std::string safe;
        for (char const c : words) {
            switch (c) {
                case '&': safe += "&amp;"; break;
                case '<': safe += "&lt;"; break;
                case '>': safe += "&gt;"; break;
                case '"': safe += "&quot;"; break;
                default: safe += c;
            }
        }
        return safe;
    }
    static std::string pair(std::string_view name, std::string_view value) {
        return ' ' + std::string(name) + "=\"" + escaped(value) + '"';
    }
    static std::string pair(std::string_view name, double value) { return pair(name, number(value)); }

    std::string text_;
};

}  // namespace digits
