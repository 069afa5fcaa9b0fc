// SPDX-License-Identifier: BSL-1.0
#include "files.hpp"

#include <gradus/io.hpp>

namespace gr = gradus;
using files::golden;
using files::refused;
using messages::contains;
using messages::elements;

namespace {

/// The archive with some bytes replaced, and what is said about it.
std::string refused_with(std::string archive, std::size_t at, std::string const& bytes) {
    archive.replace(at, bytes.size(), bytes);
    return refused([&] { gr::io::load_npz(files::as_bytes(archive)); });
}
gr::io::state_dict two() { return {{"b", gr::tensor<float, 2, 2>{{1, 2}, {3, 4}}}, {"a", gr::tensor<std::int64_t>{7}}}; }

}  // namespace

TEST_CASE("crc32: the check of the standard, sums of parts") {
    std::string const digits = "123456789";  // its sum is in every catalogue of CRCs
    CHECK(gr::core::crc32(files::as_bytes(digits)) == 0xcbf43926U);
    std::string long_text;
    for (int i = 0; i < 100; ++i) long_text += digits;
    for (std::size_t n = 0; n < 40; ++n)
        CHECK(gr::core::crc32(files::as_bytes(long_text).subspan(n), gr::core::crc32(files::as_bytes(long_text).first(n))) ==
              gr::core::crc32(files::as_bytes(long_text)));
}

TEST_CASE("load_npz: what np.savez wrote, in its order") {
    gr::io::state_dict const read = gr::io::load_npz(golden("stored.npz"));
    REQUIRE(read.size() == 3);
    CHECK(read[0].first == "weight");
    CHECK(elements(read[0].second.as<float, 3, 2>()) == std::vector<float>{0, 1, 2, 3, 4, 5});
    CHECK(read[1].first == "layer/bias");
    CHECK(read[1].second.as<double, 40>()(39) == 36);
    CHECK(read[2].first == "steps");
    CHECK(read[2].second.as<std::int64_t>().item() == 7);
}

TEST_CASE("load_npz: deflated members need zlib, which a program may do without") {
    CHECK(contains(refused([] { gr::io::load_npz(golden("deflated.npz")); }),
                   "the member \"weight.npy\" is deflated: #include <gradus/io/zlib.hpp> and link with -lz, or write it with np.savez"));
}

TEST_CASE("save_npz: reads back, and NumPy's members are there to the byte") {
    files::temporary const directory;
    gr::io::state_dict const read = gr::io::load_npz(golden("stored.npz"));
    gr::io::save_npz(directory / "x.npz", read);
    gr::io::state_dict const again = gr::io::load_npz(directory / "x.npz");
    REQUIRE(again.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) CHECK(again[i].first == read[i].first);
    CHECK(elements(again[0].second.as<float, 3, 2>()) == elements(read[0].second.as<float, 3, 2>()));
    std::string const ours = files::bytes_of(directory / "x.npz"), theirs = files::bytes_of(golden("stored.npz"));
    for (auto const& [name, t] : read) {
        gr::io::save_npy(directory / "member.npy", t);
        std::string const member = files::bytes_of(directory / "member.npy");
        CHECK(contains(ours, member));
        CHECK(contains(theirs, member));
    }
    // recipe.py reads that one with NumPy and lets Python's zipfile check it.
    CHECK(ours == files::bytes_of(golden("ours.npz")));
}

TEST_CASE("save_npz: no tensors, names that occur twice, undefined tensors") {
    files::temporary const directory;
    gr::io::save_npz(directory / "none.npz", {});
    CHECK(gr::io::load_npz(directory / "none.npz").empty());
    auto twice = two();
    twice[0].first = "a";
    CHECK(contains(refused([&] { gr::io::save_npz(directory / "x.npz", twice); }), "two tensors are named \"a\""));
    CHECK(contains(refused([&] { gr::io::save_npz(directory / "x.npz", {{"a", {}}}); }), "the tensor \"a\" is undefined"));
    CHECK(contains(refused([&] { gr::io::save_npz(directory / "x.npz", {{std::string(70000, 'x'), two()[0].second}}); }),
                   "has over 65531 bytes"));
    CHECK(directory.count() == 1);
}

TEST_CASE("load_npz: archives that are damaged or lie") {
    files::temporary const directory;
    gr::io::save_npz(directory / "x.npz", two());
    std::string const whole = files::bytes_of(directory / "x.npz");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK(contains(refused([&] { gr::io::load_npz(files::as_bytes(whole).first(size)); }), "byte "));
    }
    std::size_t const first = whole.find("\x93NUMPY"), second = whole.find("\x93NUMPY", first + 1), list = whole.find("PK\1\2"),
                      end = whole.rfind("PK\5\6");
    CHECK(contains(refused_with(whole, first + 128, "\1"),
                   "byte " + std::to_string(first) + ": the member \"b.npy\" is damaged: its checksum is another"));
    CHECK(contains(refused_with(whole, list, "QK"), "an entry of the list of members is missing"));
    CHECK(contains(refused_with(whole, list + 8, "\1"), "the member \"b.npy\" is encrypted"));
    CHECK(contains(refused_with(whole, list + 10, "\x0c"), "is packed by method 12, neither stored nor deflated"));
    CHECK(contains(refused_with(whole, list + 46, "c"), "the member \"c.npy\" has another name where it is"));
    CHECK(contains(refused_with(whole, list + 46 + 4, "x"), "has another name"));
    CHECK(contains(refused_with(whole, list + 46 + 5 + 4, "\1\1"), "has two sizes"));
    CHECK(contains(refused_with(whole, list + 46 + 5 + 2, "\x10"), "an entry without a number of 64 bits that it tells of"));
    CHECK(contains(refused_with(whole, list + 46 + 5 + 20, "\1"), "the member \"b.npy\" is not where the list tells"));
    CHECK(contains(refused_with(whole, list + 46 + 5 + 4, std::string("\0\0\0\0\0\1\0\0\0\0\0\0\0\1\0\0", 16)),
                   "a member of 1099511627776 bytes"));
    CHECK(contains(refused_with(whole, end - 20 - 56 + 32, "\3"), "an entry"));
    CHECK(contains(refused_with(whole, end - 20 - 56 + 32, std::string("\0\0\0\1", 4)), "a list of 16777216 members in "));
    CHECK(contains(refused_with(whole, end - 20 - 56 + 32, "\1"), "the list of members has another length"));
    std::string const longer(1, static_cast<char>(whole[end - 20 - 56 + 40] + 1));
    CHECK(contains(refused_with(whole, end - 20 - 56 + 40, longer), "a list of 2 members in "));  // into what stands behind it
    // The second entry leads to the first member: two names for the same bytes.
    std::string twice = whole;
    std::size_t const other = whole.find("PK\1\2", list + 1);
    twice.replace(other, other - list, whole.substr(list, other - list));
    CHECK(contains(refused([&] { gr::io::load_npz(files::as_bytes(twice)); }), "two members, or a member and the list, overlap"));
    CHECK(second > first);
}
