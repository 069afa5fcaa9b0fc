// SPDX-License-Identifier: BSL-1.0
#include "fuzz.hpp"

#include <gradus/data/idx.hpp>
#include <gradus/io/safetensors.hpp>

namespace gr = gradus;

TEST_CASE("io: mutated files are read or refused") {
    auto const npy = [](gr::core::file_bytes const& from) { return gr::io::state_dict{{"", gr::core::read_npy(from, gr::dtype::number)}}; };
    char const* const arrays[] = {"float.npy", "fortran_big.npy", "uint8.npy", "bool.npy", "scalar.npy"};
    for (std::uint64_t seed = 0; char const* name : arrays) {
        auto const seen = fuzz::run(files::bytes_of(files::golden(name)), fuzz::inputs(0.08), ++seed, npy);
        CHECK(seen.accepted > fuzz::inputs(0.08) / 100);  // what hits an element or a space
        CHECK(seen.refused > fuzz::inputs(0.08) / 4);
    }
    auto const npz = fuzz::run(files::bytes_of(files::golden("stored.npz")), fuzz::inputs(0.15), 11,
                               [](auto const& from) { return gr::core::read_npz(from); });
    CHECK(npz.accepted > fuzz::inputs(0.15) / 1000);  // most mistakes are seen by a checksum
    CHECK(npz.refused > fuzz::inputs(0.15) / 4);
    for (std::uint64_t seed = 20; char const* name : {"numpy.safetensors", "ours.safetensors"}) {
        auto const seen = fuzz::run(files::bytes_of(files::golden(name)), fuzz::inputs(0.2), ++seed,
                                    [](auto const& from) { return gr::core::read_safetensors(from); });
        CHECK(seen.accepted > fuzz::inputs(0.2) / 1000);
        CHECK(seen.refused > fuzz::inputs(0.2) / 4);
    }
    std::string const pictures = std::string("\0\0\x0b\3\0\0\0\2\0\0\0\3\0\0\0\4", 16) + std::string(48, '\1');
    auto const idx = fuzz::run(pictures, fuzz::inputs(0.05), 31,
                               [](auto const& from) { return gr::io::state_dict{{"", gr::core::read_idx(from, gr::dtype::number)}}; });
    CHECK(idx.accepted > fuzz::inputs(0.05) / 100);
    CHECK(idx.refused > fuzz::inputs(0.05) / 4);
}
