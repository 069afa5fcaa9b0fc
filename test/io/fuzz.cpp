// SPDX-License-Identifier: BSL-1.0
#include "fuzz.hpp"

#include <string>
#include <utility>
#include <vector>

namespace gr = gradus;

namespace {

/// Of `share` of all inputs, at least one in `one_in` is read and a quarter is refused.
void read_or_refused(std::string const& file, double share, std::uint64_t seed, int one_in, auto reader) {
    auto const seen = fuzz::run(file, fuzz::inputs(share), seed, reader);
    CHECK(seen.accepted >= fuzz::inputs(share) / one_in);
    CHECK(seen.refused > fuzz::inputs(share) / 4);
}
/// The archive of a model that fuzz::state_dict takes.
std::string model() {
    files::temporary const directory;
    gr::tensor<float, 3, 2> const weight{{1, 2}, {3, 4}, {5, 6}};
    gr::tensor<float, 3> const bias{7, 8, 9};
    gr::io::save_npz(directory / "model.npz", {{"weight", weight}, {"bias", bias}});
    return files::bytes_of(directory / "model.npz");
}
/// The pickle alone of an archive that torch.save wrote, in archives whose checksums are right.
std::string pickle_of(std::string const& whole) {
    gr::core::file_bytes const from = fuzz::file_of(files::as_bytes(whole));
    gr::core::zip_reader const archive(from);
    for (auto const& member : archive.members())
        if (member.name.ends_with("data.pkl")) return std::string(from.letters(member.begin, member.size, "a pickle"));
    return {};
}
void pickle(fuzz::bytes input) {
    std::vector<std::pair<std::string, std::string>> members{{"x/data.pkl", {reinterpret_cast<char const*>(input.data()), input.size()}}};
    for (int i = 0; i < 13; ++i) members.emplace_back("x/data/" + std::to_string(i), std::string(32, '\1'));
    fuzz::pt(files::as_bytes(files::archive_of(members)));
}

}  // namespace

TEST_CASE("io: mutated files are read or refused") {
    char const* const arrays[] = {"float.npy", "fortran_big.npy", "uint8.npy", "bool.npy", "scalar.npy"};
    for (std::uint64_t seed = 0; char const* name : arrays)  // what hits an element or a space is read
        read_or_refused(files::bytes_of(files::golden(name)), 0.08, ++seed, 100, fuzz::npy);
    read_or_refused(files::bytes_of(files::golden("stored.npz")), 0.15, 11, 1000, fuzz::npz);  // most mistakes are seen by a checksum
    for (std::uint64_t seed = 20; char const* name : {"numpy.safetensors", "ours.safetensors"})
        read_or_refused(files::bytes_of(files::golden(name)), 0.15, ++seed, 1000, fuzz::safetensors);
    read_or_refused(std::string("\0\0\x0b\3\0\0\0\2\0\0\0\3\0\0\0\4", 16) + std::string(48, '\1'), 0.05, 31, 100, fuzz::idx);
    read_or_refused("a,\"b, c\"\n1.5,NA\r\n\"2\",x\n", 0.03, 41, 100, fuzz::csv);
    read_or_refused(files::bytes_of(files::golden("stored.npz")), 0.03, 51, 1000, fuzz::zip);
    read_or_refused(model(), 0.03, 61, 1000, fuzz::state_dict);
    std::string const nested = files::bytes_of(files::golden("nested.pt"));
    read_or_refused(nested, 0.06, 71, 1000, fuzz::pt);
    read_or_refused(pickle_of(nested), 0.1, 81, 100, pickle);  // what hits a number or a name
}
