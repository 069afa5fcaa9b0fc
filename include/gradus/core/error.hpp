// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/text.hpp>

#include <stdexcept>
#include <utility>

// Errors are one for all translation units, whatever instructions they use; so are the modes of tensor/state/mode.hpp.
namespace gradus {

/// What the library throws at run time; a failed call has changed nothing. Libraries that hide their symbols still throw what others catch.
struct [[gnu::visibility("default")]] error : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct [[gnu::visibility("default")]] shape_error : error {
    using error::error;
};  ///< sizes that do not fit
struct [[gnu::visibility("default")]] binding_error : error {
    using error::error;
};  ///< arguments of a program
struct [[gnu::visibility("default")]] autograd_error : error {
    using error::error;
};  ///< misuse of the tape
struct [[gnu::visibility("default")]] io_error : error {
    using error::error;
};  ///< files

}  // namespace gradus

namespace gradus::inline GRADUS_ARCH {
namespace core {

/// A piece of a sentence computed in the compiler.
template <int N>
struct words {
    char letters[N + 1]{};

    constexpr explicit words(std::string_view s) {
        for (int i = 0; i < N; ++i) letters[i] = s[static_cast<std::size_t>(i)];
        letters[N] = 0;  // clang prints an array as text only if its last element has been written, and is zero
    }
};

/// Where the piece of a sentence ends that begins at `begin`. clang prints the first 36 letters of a template argument,
/// so sentences are cut there: after a colon, comma or full stop where one is near, so that phrases stay whole.
constexpr int piece_end(std::string_view s, [[maybe_unused]] int begin) {
    int const size = static_cast<int>(s.size());
#ifdef __clang__
    constexpr int width = 36;
    if (size - begin <= width) return size;
    int space = 0;
    for (int end = begin + width; end > begin + 1; --end) {
        if (s[static_cast<std::size_t>(end - 1)] != ' ') continue;
        if (std::string_view(":;,.").find(s[static_cast<std::size_t>(end - 2)]) != std::string_view::npos) return end;
        if (!space) space = end;
    }
    return space ? space : begin + width;
#else
    return size;
#endif
}
constexpr int piece_begin(std::string_view s, int index) {
    int begin = 0;
    for (; index > 0; --index) begin = piece_end(s, begin);
    return begin;
}

template <words... Sentence>
inline constexpr bool is_right = sizeof...(Sentence) == 0;

/// The compiler prints the arguments of this class where it refuses a program.
template <words... Sentence>
struct compile_error {
    static_assert(is_right<Sentence...>, "gradus: the sentence above says what is wrong");
};

template <auto Text>
inline constexpr bool is_empty = Text().empty();

template <auto Text, int I>
constexpr auto piece() {
    constexpr int begin = piece_begin(Text(), I), end = piece_begin(Text(), I + 1);
    text sentence = Text();
    return words<end - begin>(sentence.view().substr(begin, end - begin));
}
template <auto Text>
constexpr int piece_count() {
    text sentence = Text();
    int count = 0;
    while (piece_begin(sentence, count) < sentence.size()) ++count;
    return count;
}
template <auto Text, int... I>
constexpr void fail(std::integer_sequence<int, I...>) {
    static_cast<void>(sizeof(compile_error<piece<Text, I>()...>));
}

/// Stops the compiler with the text that `Text()` returns, or does nothing if that is empty.
template <auto Text>
constexpr void report() {
    if constexpr (!is_empty<Text>) fail<Text>(std::make_integer_sequence<int, piece_count<Text>()>{});
}

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
