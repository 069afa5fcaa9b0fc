// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../fuzz/readers.hpp"
#include "files.hpp"

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
/// Every one of `count` mutated files is read, or refused by io_error, and what the reader promises holds.
inline counts run(std::string const& file, int count, std::uint64_t seed, auto reader) {
    counts seen;
    gradus::random random(seed);
    for (int i = 0; i < count; ++i) {
        std::string const input = mutated(file, random);
        try {
            ++(accepts(reader, files::as_bytes(input)) ? seen.accepted : seen.refused);
        } catch (std::exception const& other) { FAIL_CHECK("input ", i, " of seed ", seed, ": ", other.what()); }
    }
    return seen;
}
/// As many of 100 000 in all, a tenth under the sanitizers, or GRADUS_FUZZ.
inline int inputs(double share) {
    char const* const wanted = std::getenv("GRADUS_FUZZ");
    return static_cast<int>(share * (wanted ? std::atof(wanted) : gradus::sanitizes_memory ? 1e4 : 1e5));
}

}  // namespace fuzz
