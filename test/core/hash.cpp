// SPDX-License-Identifier: BSL-1.0
#include <gradus/core/hash.hpp>

#include <doctest/doctest.h>

#include <set>

namespace gr = gradus;
using namespace gr::core;

namespace {
struct one {};
struct two {};
template <int>
struct numbered {};
}  // namespace

TEST_CASE("hash_of: is FNV-1a") {
    static_assert(hash_of("") == 0xcbf29ce484222325u && hash_of("a") == 0xaf63dc4c8601ec8cu && hash_of("foobar") == 0x85944171f73967e8u);
    CHECK(hash_of("\xff") != hash_of("\x7f"));
}

TEST_CASE("mix: has no collisions among small numbers, in either order") {
    std::set<std::uint64_t> seen;
    for (std::uint64_t seed = 0; seed < 300; ++seed)
        for (std::uint64_t value = 0; value < 300; ++value) seen.insert(mix(mix(0, seed), value));
    CHECK(seen.size() == 90000);
    static_assert(mix(mix(0, 1), 2) != mix(mix(0, 2), 1));
}

TEST_CASE("bits_of: tells zeros apart") {
    static_assert(bits_of(0.0) == 0 && bits_of(-0.0) == 0x8000000000000000u && bits_of(1.0) == 0x3ff0000000000000u);
    CHECK(bits_of(0.5) == 0x3fe0000000000000u);
}

TEST_CASE("type_hash: is equal for equal types only") {
    static_assert(type_hash<one>() == type_hash<one>() && type_hash<one>() != type_hash<two>());
    static_assert(type_hash<numbered<1>>() != type_hash<numbered<2>>() && type_hash<int>() != type_hash<int const>());
    CHECK(type_hash<float>() != type_hash<double>());
}
