// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>

#include <cstddef>
#include <string_view>

namespace gradus::inline GRADUS_ARCH {

/// A string that can be a template argument: the name in `var<"w", float>`.
template <std::size_t N>
struct fixed_string {
    char text[N]{};

    constexpr fixed_string() = default;
    constexpr fixed_string(char const (&literal)[N]) {  // NOLINT: implicit, so that "w" is a template argument
        for (std::size_t i = 0; i < N; ++i) text[i] = literal[i];
    }
    constexpr std::string_view view() const { return {text, N - 1}; }
};

namespace core {

/// Refuses what a constexpr function was given: in the compiler by an error that prints the sentence, a template argument (of a `throw`
/// g++ prints `<throw-expression>`), at run time by an exception.
template <fixed_string Sentence, class Error>
[[noreturn, gnu::cold]] void refuse() {
    throw Error(Sentence.text);
}

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
