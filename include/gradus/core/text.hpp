// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/list.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace gradus::inline GRADUS_ARCH {

/// A string that also works in constant evaluation on every compiler (clang with libstdc++ 12 has no such std::string).
class text {
public:
    constexpr text() = default;
    constexpr text(std::string_view s) { *this += s; }  // NOLINT: text is text
    [[gnu::cold, gnu::noinline]] constexpr text& operator+=(char c) {
        letters_.push_back(c);
        return *this;
    }
    [[gnu::cold, gnu::noinline]] constexpr text& operator+=(std::string_view s) {
        letters_.append(s.data(), static_cast<int>(s.size()));
        return *this;
    }
    constexpr int size() const { return letters_.size(); }
    constexpr bool empty() const { return letters_.size() == 0; }
    constexpr std::string_view view() const { return {letters_.begin(), static_cast<std::size_t>(letters_.size())}; }
    constexpr operator std::string_view() const { return view(); }  // NOLINT
    constexpr bool contains(std::string_view s) const { return view().find(s) != std::string_view::npos; }
    std::string str() const { return std::string(view()); }
    friend constexpr bool operator==(text const& a, std::string_view b) { return a.view() == b; }
    friend constexpr bool operator==(text const& a, text const& b) { return a.view() == b.view(); }

private:
    core::list<char> letters_;
};

namespace core {

/// Appends the decimal digits of `number`; std::to_string is not constexpr in C++20.
[[gnu::cold]] constexpr void append_number(text& out, std::int64_t number) {
    char digits[20]{};
    int count = 0;
    auto rest = number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
    do digits[count++] = static_cast<char>('0' + rest % 10);
    while (rest /= 10);
    if (number < 0) out += '-';
    while (count) out += digits[--count];
}

/// Appends `number` with up to six significant digits, as `%g` does for the range printed here.
[[gnu::cold]] constexpr void append_number(text& out, double number) {
    if (number != number) {
        out += "nan";
        return;
    }
    if (number < 0) {
        out += '-';
        number = -number;
    }
    if (number > 1.7976931348623157e308) {
        out += "inf";
        return;
    }
    if (number == 0) {
        out += '0';
        return;
    }
    int exponent = 0;
    while (number >= 10) {
        number /= 10;
        ++exponent;
    }
    while (number < 1) {
        number *= 10;
        --exponent;
    }
    auto digits = static_cast<std::int64_t>(number * 1e5 + 0.5);  // d.ddddd
    if (digits >= 1000000) {
        digits /= 10;
        ++exponent;
    }
    int count = 6;
    while (count > 1 && digits % 10 == 0) {
        digits /= 10;
        --count;
    }
    text mantissa;
    append_number(mantissa, digits);
    if (exponent >= -4 && exponent < 6) {
        if (exponent < 0) {
            out += "0.";
            for (int i = -1; i > exponent; --i) out += '0';
            out += mantissa.view();
        } else {
            for (int i = 0; i < count || i <= exponent; ++i) {
                if (i == exponent + 1) out += '.';
                out += i < count ? mantissa.view()[static_cast<std::size_t>(i)] : '0';
            }
        }
        return;
    }
    out += mantissa.view()[0];
    if (count > 1) {
        out += '.';
        out += mantissa.view().substr(1);
    }
    out += 'e';
    append_number(out, std::int64_t{exponent});
}

constexpr void append(text& out, std::string_view s) { out += s; }
constexpr void append(text& out, char c) { out += c; }
constexpr void append(text& out, int number) { append_number(out, std::int64_t{number}); }
constexpr void append(text& out, std::int64_t number) { append_number(out, number); }
constexpr void append(text& out, double number) { append_number(out, number); }

/// One string from pieces: text, numbers, and whatever has an `append(text&, piece)`.
[[gnu::cold, gnu::noinline]] constexpr text concat(auto const&... pieces) {
    text out;
    (append(out, pieces), ...);
    return out;
}

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
