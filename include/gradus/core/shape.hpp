// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/dtype.hpp>
#include <gradus/core/fixed_string.hpp>
#include <gradus/core/text.hpp>

#include <cstddef>
#include <initializer_list>
#include <stdexcept>
#include <utility>

namespace gradus::inline GRADUS_ARCH {

inline constexpr int max_rank = 6;

/// One extent of a shape: a number, a named dimension ("batch": known with the data, equal names are equal extents), arithmetic on
/// names ("n - 2", core/form.hpp), or `dyn` (known at run time, arrays only).
///
/// The text is packed into two integers, ten characters each: it can then be a template argument and an extent
/// compares in two instructions, which matters where the compiler runs them.
struct extent {
    std::int64_t code = 0;
    std::int64_t more = 0;

    constexpr extent() = default;
    constexpr extent(int size) : code(counted(size)) {}                                            // NOLINT: 5 is an extent
    constexpr extent(long size) : code(counted(size)) {}                                           // NOLINT
    constexpr extent(long long size) : code(counted(size)) {}                                      // NOLINT
    constexpr extent(unsigned size) : code(size) {}                                                // NOLINT
    constexpr extent(unsigned long size) : code(counted(static_cast<std::int64_t>(size))) {}       // NOLINT
    constexpr extent(unsigned long long size) : code(counted(static_cast<std::int64_t>(size))) {}  // NOLINT
    template <std::size_t N>
    constexpr extent(char const (&name)[N]) : extent(std::string_view(name, N - 1)) {}  // NOLINT: so is "batch"
    constexpr explicit extent(std::string_view name) {
        bool plain = true;
        for (char c : name) plain = plain && is_letter(c);
        if (!plain) {
            *this = parsed(name);
            return;
        }
        if (name.empty() || name.size() > 20) core::refuse<"gradus: the name of a dimension has 1 to 20 characters", std::length_error>();
        *this = packed(name, false);
    }
    constexpr bool is_static() const { return code >= 0; }
    constexpr bool is_named() const { return code < -1; }
    /// Is it arithmetic on names?
    constexpr bool is_form() const { return more < -1; }
    /// Does the compiler know it as a number or by names?
    constexpr bool is_expressible() const { return code != -1 && !is_unknown(); }
    /// Statically 1: the axis broadcasts. An extent of 1 that was only measured at run time does not.
    constexpr bool is_one() const { return code == 1 && more == 0; }

    /// An extent of an expression on tensors that the compiler is about to find out about; see core/unifier.hpp.
    static constexpr extent unknown(int number) {
        extent e;
        e.code = -2 - number;
        e.more = -1;
        return e;
    }
    constexpr bool is_unknown() const { return more == -1; }
    constexpr int number() const { return static_cast<int>(-2 - code); }
    /// An extent that was measured at run time: a number that never broadcasts.
    static constexpr extent measured(std::int64_t size) {
        extent e;
        e.code = size;
        e.more = size == 1 ? 1 : 0;
        return e;
    }

    constexpr bool operator==(extent const&) const = default;
    /// Arithmetic, quotients rounded down; `dyn` where the result is no extent, or an operand is known at run time only.
    friend constexpr extent operator+(extent a, extent b) { return combined(a, '+', b); }
    friend constexpr extent operator-(extent a, extent b) { return combined(a, '-', b); }
    friend constexpr extent operator*(extent a, extent b) { return combined(a, '*', b); }
    friend constexpr extent operator/(extent a, extent b) { return combined(a, '/', b); }

    [[gnu::cold, gnu::noinline]] friend constexpr void append(gradus::text& out, extent e) {
        if (e.is_static()) return core::append(out, e.code);
        if (!e.is_named() || e.is_unknown()) return core::append(out, "dyn");
        char letters[20]{};
        int const count = e.unpack(letters);
        for (int i = 0; i < count; ++i) {
            bool const spaced = i > 0 && (letters[i] == '+' || letters[i] == '-' || letters[i] == '/');
            if (spaced) out += ' ';
            out += letters[i];
            if (spaced) out += ' ';
        }
    }

    static constexpr bool is_letter(char c) { return alphabet.find(c) < 63; }
    /// A name, or the text of a form without spaces, of at most 20 characters.
    static constexpr extent packed(std::string_view text, bool is_form) {
        extent e;
        e.code = -2 - pack(text.substr(0, 10));
        e.more = text.size() > 10 ? pack(text.substr(10)) : 0;
        if (is_form) e.more = -2 - e.more;
        return e;
    }
    /// The characters of a name or form; how many there are.
    constexpr int unpack(char (&to)[20]) const {
        int count = 0;
        for (std::int64_t part : {-2 - code, is_form() ? -2 - more : more}) {
            int const first = count;
            for (; part; part /= 70) to[count++] = alphabet[static_cast<std::size_t>(part % 70 - 1)];
            for (int i = first, j = count - 1; i < j; ++i, --j) std::swap(to[i], to[j]);
        }
        return count;
    }

private:
    static constexpr std::int64_t counted(std::int64_t size) {  // -1, `dyn`, asks reshape for the extent that fits
        if (size < -1) core::refuse<"gradus: an extent is not negative", std::invalid_argument>();
        return size;
    }
    static constexpr std::string_view alphabet = "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-*/()";
    static constexpr std::int64_t pack(std::string_view name) {
        std::int64_t packed = 0;
        for (char c : name) packed = packed * 70 + static_cast<std::int64_t>(alphabet.find(c)) + 1;
        return packed;
    }
    static constexpr extent combined(extent a, char how, extent b);
    static constexpr extent parsed(std::string_view text);
};

/// An extent that is known at run time (arrays and tensors; symbols use named dimensions).
inline constexpr extent dyn = [] {
    extent e;
    e.code = -1;
    return e;
}();

/// The extents of a tensor, outermost first; rank 0 is a scalar.
struct shape {
    int count = 0;
    extent extents[max_rank]{};

    constexpr shape() = default;
    constexpr shape(std::initializer_list<extent> list) {
        for (extent e : list) push_back(e);
    }
    constexpr int rank() const { return count; }
    constexpr extent operator[](int axis) const { return extents[axis]; }
    constexpr extent& operator[](int axis) { return extents[axis]; }
    constexpr void push_back(extent e) {
        if (count == max_rank) core::refuse<"gradus: a shape has at most 6 axes", std::length_error>();
        extents[count++] = e;
    }
    constexpr bool operator==(shape const& other) const {
        if (count != other.count) return false;
        for (int i = 0; i < count; ++i)
            if (!(extents[i] == other.extents[i])) return false;
        return true;
    }
    constexpr bool is_static() const {
        for (int i = 0; i < count; ++i)
            if (!extents[i].is_static()) return false;
        return true;
    }
    /// Product of the static extents (all of them when is_static()); the largest number where it has more bits.
    constexpr std::int64_t static_size() const {
        std::int64_t product = 1;
        bool overflows = false;
        for (int i = 0; i < count; ++i) {
            if (!extents[i].is_static()) continue;
            if (extents[i].code == 0) return 0;
            overflows = __builtin_mul_overflow(product, extents[i].code, &product) || overflows;
        }
        return overflows ? INT64_MAX : product;
    }
    /// Are there more elements than memory has places for, of 8 bytes?
    constexpr bool is_too_large() const { return static_size() > INT64_MAX / 8; }
    /// One element, whatever the rank.
    constexpr bool is_single() const {
        for (int i = 0; i < count; ++i)
            if (extents[i].code != 1) return false;
        return true;
    }
    [[gnu::cold, gnu::noinline]] friend constexpr void append(gradus::text& out, shape const& s) {
        out += '[';
        for (int i = 0; i < s.count; ++i) {
            if (i) out += ',';
            append(out, s.extents[i]);
        }
        out += ']';
    }
};

/// What the compiler knows of a value: its dtype and its shape, printed `float[batch,128]`.
struct tensor_type {
    dtype type = dtype::number;
    gradus::shape shape{};

    // No aggregate: once g++ has reported any error, it takes arrays of aggregates like this one for no constants.
    constexpr tensor_type() = default;
    constexpr tensor_type(dtype t, gradus::shape const& s) : type(t), shape(s) {}

    constexpr bool operator==(tensor_type const&) const = default;
    [[gnu::cold, gnu::noinline]] friend constexpr void append(gradus::text& out, tensor_type const& t) {
        core::append(out, name_of(t.type));
        if (t.shape.rank()) append(out, t.shape);
    }
};

namespace core {
constexpr bool same_product(shape const& a, shape b);  // of arithmetic on names
}
/// Same elements in the same order under another shape: equal products, named dimensions included.
constexpr bool same_size(shape const& a, shape const& b) {
    for (shape const* s : {&a, &b})
        for (int i = 0; i < s->rank(); ++i)
            if ((*s)[i].is_form()) return core::same_product(a, b);
    if (a.static_size() != b.static_size()) return false;
    int balance = 0;
    for (int i = 0; i < a.rank(); ++i) {
        if (a[i].is_static()) continue;
        int in_a = 0, in_b = 0;
        for (int j = 0; j < a.rank(); ++j) in_a += a[j] == a[i];
        for (int j = 0; j < b.rank(); ++j) in_b += b[j] == a[i];
        if (in_a != in_b) return false;
    }
    for (int i = 0; i < a.rank(); ++i) balance += !a[i].is_static();
    for (int i = 0; i < b.rank(); ++i) balance -= !b[i].is_static();
    return balance == 0;
}

}  // namespace gradus::inline GRADUS_ARCH

#include <gradus/core/form.hpp>
