// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/dtype.hpp>

#include <bit>
#include <cstddef>
#include <cstring>
#include <limits>

// Numbers as files have them: of more types than tensors, and in either byte order.

namespace gradus::inline GRADUS_ARCH::core {

static_assert(std::endian::native == std::endian::little, "gradus/io: for processors whose numbers begin with the lowest byte");

/// A type in a file, by NumPy's letters: 'b' bool, 'i' and 'u' integers, 'f' IEEE 754, and 'B' for bfloat16, which NumPy has not.
struct stored_type {
    char kind = 0;
    int size = 0;
    bool is_big_endian = false;

    constexpr bool operator==(stored_type const&) const = default;
};

constexpr stored_type stored_as(dtype type) {
    if (type == dtype::boolean) return {'b', 1};
    if (type == dtype::bfloat16) return {'B', 2};
    return {is_integer(type) ? 'i' : 'f', static_cast<int>(size_of(type))};
}

/// Calls f with a value of the C++ type that reads such a number, or f(nullptr) where there is none. A byte of a bool is read as
/// a number: it may have other values than a C++ bool.
constexpr decltype(auto) with_stored(stored_type t, auto&& f) {
    switch (t.kind * 16 + t.size) {
        case 'b' * 16 + 1:
        case 'u' * 16 + 1: return f(std::uint8_t{});
        case 'u' * 16 + 2: return f(std::uint16_t{});
        case 'u' * 16 + 4: return f(std::uint32_t{});
        case 'i' * 16 + 1: return f(std::int8_t{});
        case 'i' * 16 + 2: return f(std::int16_t{});
        case 'i' * 16 + 4: return f(std::int32_t{});
        case 'i' * 16 + 8: return f(std::int64_t{});
        case 'f' * 16 + 2: return f(float16{});
        case 'f' * 16 + 4: return f(float{});
        case 'f' * 16 + 8: return f(double{});
        case 'B' * 16 + 2: return f(bfloat16{});
        default: return f(nullptr);
    }
}
/// Is every value of From one of To? Then and only then files are converted.
template <class To, class From>
inline constexpr bool holds_all = [] {
    using to = std::numeric_limits<To>;
    using from = std::numeric_limits<From>;
    if (std::is_same_v<To, From>) return true;
    if (std::is_same_v<To, bool> || (to::is_integer && !from::is_integer)) return false;
    bool const exponents =
        to::is_integer || from::is_integer || (to::max_exponent >= from::max_exponent && to::min_exponent <= from::min_exponent);
    return to::digits >= from::digits && exponents;  // all but bool have signs
}();
constexpr bool holds(dtype to, stored_type from) {
    if (from.kind == 'b') return true;
    return with_stored(from, [to]<class From>(From) {
        if constexpr (std::is_same_v<From, std::nullptr_t>) return false;
        else return with_dtype(to, []<class To>(To) { return holds_all<To, From>; });
    });
}
/// The dtype that numbers of a file become: their own, or the next that holds all of them; `number` if none does.
constexpr dtype dtype_holding(stored_type from) {
    if (from.kind == 'b' && from.size == 1) return dtype::boolean;
    for (dtype const type : {dtype::bfloat16, dtype::float16, dtype::float32, dtype::float64})
        if (stored_type{from.kind, from.size} == stored_as(type)) return type;
    if (from.kind == 'i' || from.kind == 'u')
        for (dtype const type : {dtype::int32, dtype::int64})
            if (holds(type, from)) return type;
    return dtype::number;
}

template <class From>
From read_stored(std::byte const* at, bool swaps) {
    std::byte bytes[sizeof(From)];
    for (std::size_t i = 0; i < sizeof(From); ++i) bytes[i] = at[swaps ? sizeof(From) - 1 - i : i];
    From value;
    std::memcpy(static_cast<void*>(&value), bytes, sizeof(From));
    return value;
}
template <class To, class From>
void convert_elements(std::byte const* from, stored_type type, std::int64_t count, To* to) {
    for (std::int64_t i = 0; i < count; ++i, from += sizeof(From)) {
        From value = read_stored<From>(from, type.is_big_endian);
        if constexpr (std::is_same_v<From, std::uint8_t>)
            if (type.kind == 'b') value = value != 0;
        if constexpr (std::is_same_v<To, bool>) to[i] = value != 0;
        else if constexpr (half_element<From> && !std::is_same_v<To, From>) to[i] = static_cast<To>(static_cast<float>(value));
        else to[i] = static_cast<To>(value);
    }
}
/// Numbers of a file as elements of a dtype that holds them all. Of bools any byte but 0 is true, as NumPy reads them.
inline void convert_stored(stored_type type, std::byte const* from, std::int64_t count, dtype to_type, std::byte* to) {
    if (count == 0) return;
    if (type == stored_as(to_type) && type.kind != 'b') {
        std::memcpy(to, from, static_cast<std::size_t>(count) * static_cast<std::size_t>(type.size));
        return;
    }
    with_stored(type, [&]<class From>(From) {
        if constexpr (!std::is_same_v<From, std::nullptr_t>)
            with_dtype(to_type, [&]<class To>(To) {
                if constexpr (std::is_same_v<From, std::uint8_t> || holds_all<To, From>)
                    convert_elements<To, From>(from, type, count, reinterpret_cast<To*>(to));
            });
    });
}

}  // namespace gradus::inline GRADUS_ARCH::core
