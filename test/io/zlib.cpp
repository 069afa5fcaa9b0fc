// SPDX-License-Identifier: BSL-1.0
#include "fuzz.hpp"

#include <gradus/io/zlib.hpp>

namespace gr = gradus;
using files::refused;
using messages::contains;

TEST_CASE("zlib: what np.savez_compressed wrote is read") {
    gr::io::state_dict const read = gr::io::load_npz(files::golden("deflated.npz"));
    REQUIRE(read.size() == 3);
    CHECK(read[0].second.as<float, 3, 2>()(2, 1) == 5);
    CHECK(read[1].second.as<double, 40>()(39) == 36);
    CHECK(read[2].second.as<std::int64_t>().item() == 7);
}

TEST_CASE("zlib: deflated members that are damaged, or of another size than they tell") {
    std::string const whole = files::bytes_of(files::golden("deflated.npz"));
    auto const refused_with = [&](std::size_t at, std::string const& bytes) {
        std::string archive = whole;
        archive.replace(at, bytes.size(), bytes);
        return refused([&] { gr::io::load_npz(files::as_bytes(archive)); });
    };
    std::size_t const list = whole.find("PK\1\2"), local = whole.find("PK\3\4");
    std::size_t const data = local + 30 + 10 + 20;  // name and extra
    CHECK(contains(refused_with(data, "\xff\xff"), "is damaged, or has another size than its entry tells"));
    CHECK(contains(refused_with(list + 24, "\x40"), "is damaged, or has another size than its entry tells"));
    CHECK(contains(refused_with(list + 24, "\xff"), "is damaged, or has another size than its entry tells"));
    CHECK(contains(refused_with(list + 24, "\xff\xff\xff\x7f"), "bytes cannot be 2147483647 deflated ones"));
    CHECK(contains(refused_with(list + 16, "\xff"), "its checksum is another"));
}

TEST_CASE("zlib: mutated archives are read or refused") {
    for (auto const reader : {fuzz::npz, fuzz::zip}) {
        auto const seen = fuzz::run(files::bytes_of(files::golden("deflated.npz")), fuzz::inputs(0.05), 31, reader);
        CHECK(seen.accepted > fuzz::inputs(0.05) / 1000);
        CHECK(seen.refused > fuzz::inputs(0.05) / 4);
    }
}
