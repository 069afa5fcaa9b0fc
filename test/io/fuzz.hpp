// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "files.hpp"

#include <gradus/io.hpp>

// Files that are right but for some bytes.

namespace fuzz {

struct counts {
    int accepted = 0, refused = 0;
};

/// A right file with one to four mistakes: bytes replaced, numbers made extreme, parts doubled, moved, or cut out.
inline std::string mutated(std::string file, gradus::random& random) {
    auto const below = [&random](std::size_t n) { return static_cast<std::size_t>(random.next() % (n ? n : 1)); };
    for (std::size_t mistakes = 1 + below(4); mistakes > 0; --mistakes) {
        if (file.empty()) file = "x";
        std::size_t const at = below(file.size()), length = std::min(below(16) + 1, file.size() - at);
        switch (below(8)) {
            case 0: file[at] = static_cast<char>(random.next()); break;
            case 1: file[at] = static_cast<char>(file[at] ^ (1 << below(8))); break;
            case 2: file.replace(at, length, std::string(length, below(2) ? '\xff' : '\0')); break;
            case 3: file.replace(at, length, file, below(file.size()), length); break;
            case 4: file.insert(at, file, below(file.size()), length); break;
            case 5: file.erase(at, length); break;
            case 6: file[at] = "0123456789,:[](){}'\"-eL<>"[below(25)]; break;
            default: file.resize(below(10) ? file.size() : at); break;
        }
    }
    return file;
}
/// Every one of `count` mutated files is read, into no more memory than it has itself (eight times, bytes become 32 bits and axes
/// have an order; `beside` is what the reader adds to the input), or refused by io_error. The elements that were read are there.
inline counts run(std::string const& file, int count, std::uint64_t seed, auto read, std::size_t beside = 0) {
    counts seen;
    gradus::random random(seed);
    for (int i = 0; i < count; ++i) {
        std::string const input = mutated(file, random);
        auto memory = gradus::core::new_memory(input.size());
        std::memcpy(memory.get(), input.data(), input.size());
        try {
            std::size_t bytes = 0;
            unsigned sum = 0;
            for (auto const& [name, t] : read(gradus::core::file_bytes{"fuzz", "input", {memory.get(), input.size()}, 0, memory})) {
                auto const size = static_cast<std::size_t>(t.size() * gradus::size_of(t.dtype()));
                bytes += size;
                for (std::size_t b = 0; b < size; ++b) sum += static_cast<unsigned char*>(t.data())[b];
            }
            bool const is_bounded = bytes <= 8 * (input.size() + beside) && sum <= 255 * bytes;
            CHECK_MESSAGE(is_bounded, "input ", i, " of seed ", seed);
            ++seen.accepted;
        } catch (gradus::io_error const&) { ++seen.refused; } catch (std::exception const& other) {
            FAIL_CHECK("input ", i, " of seed ", seed, ": ", other.what());
        }
    }
    return seen;
}
/// As many of 100 000 in all, a tenth under the sanitizers, or GRADUS_FUZZ.
inline int inputs(double share) {
    char const* const wanted = std::getenv("GRADUS_FUZZ");
    return static_cast<int>(share * (wanted ? std::atof(wanted) : gradus::sanitizes_memory ? 1e4 : 1e5));
}

}  // namespace fuzz
