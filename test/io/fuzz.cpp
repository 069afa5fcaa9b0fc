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
    auto const pt = fuzz::run(files::bytes_of(files::golden("nested.pt")), fuzz::inputs(0.1), 41,
                              [](auto const& from) { return gr::core::read_pt(from); });
    CHECK(pt.accepted > fuzz::inputs(0.1) / 1000);
    CHECK(pt.refused > fuzz::inputs(0.1) / 4);
    // Pickles alone, in archives whose checksums are right.
    std::string const whole = files::bytes_of(files::golden("nested.pt"));
    gr::core::file_bytes const bytes{"fuzz", "nested.pt", files::as_bytes(whole)};
    gr::core::zip_reader const archive(bytes);
    std::string pickle;
    for (auto const& m : archive.members())
        if (m.name.ends_with("data.pkl")) pickle = std::string(bytes.letters(m.begin, m.size, "a pickle"));
    auto const wrapped = [](std::string const& contents) {
        std::string const memory(32, '\1');
        return files::archive_of({{"x/data.pkl", contents},
                                  {"x/data/0", memory},
                                  {"x/data/1", memory},
                                  {"x/data/2", memory},
                                  {"x/data/3", memory},
                                  {"x/data/4", memory},
                                  {"x/data/5", memory},
                                  {"x/data/6", memory},
                                  {"x/data/7", memory},
                                  {"x/data/8", memory},
                                  {"x/data/9", memory},
                                  {"x/data/10", memory},
                                  {"x/data/11", memory},
                                  {"x/data/12", memory}});
    };
    auto const pickles = fuzz::run(
        pickle, fuzz::inputs(0.15), 42,
        [&](gr::core::file_bytes const& from) {
            std::string const file = wrapped(std::string(from.letters(0, from.size(), "a pickle")));
            return gr::core::read_pt({"fuzz", "input", files::as_bytes(file)});
        },
        wrapped("").size());
    CHECK(pickles.accepted > fuzz::inputs(0.15) / 100);  // what hits a number or a name
    CHECK(pickles.refused > fuzz::inputs(0.15) / 4);
    std::string const pictures = std::string("\0\0\x0b\3\0\0\0\2\0\0\0\3\0\0\0\4", 16) + std::string(48, '\1');
    auto const idx = fuzz::run(pictures, fuzz::inputs(0.05), 31,
                               [](auto const& from) { return gr::io::state_dict{{"", gr::core::read_idx(from, gr::dtype::number)}}; });
    CHECK(idx.accepted > fuzz::inputs(0.05) / 100);
    CHECK(idx.refused > fuzz::inputs(0.05) / 4);
}
