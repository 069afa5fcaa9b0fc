// SPDX-License-Identifier: BSL-1.0
#include "../io/files.hpp"

#include <gradus/data.hpp>

namespace gr = gradus;
using files::refused;
using messages::contains;
using messages::elements;

namespace {

/// The format's header, then elements.
std::string idx(char type, std::vector<std::uint32_t> const& extents, std::string const& elements) {
    std::string file{'\0', '\0', type, static_cast<char>(extents.size())};
    for (std::uint32_t const n : extents)
        for (int shift = 24; shift >= 0; shift -= 8) file += static_cast<char>(n >> shift);
    return file + elements;
}
/// Two pictures of 2 x 3 and their labels, as MNIST's are published.
void write_digits(files::temporary const& directory, std::string const& part) {
    files::write(directory / (part + "-images-idx3-ubyte"), idx(8, {2, 2, 3}, std::string("\0\1\2\3\4\5\xff\xfe\xfd\xfc\xfb\xfa", 12)));
    files::write(directory / (part + "-labels-idx1-ubyte"), idx(8, {2}, "\7\3"));
}

}  // namespace

TEST_CASE("load_idx: every type, the highest byte first") {
    files::temporary const directory;
    auto const path = directory / "x";
    files::write(path, idx(8, {2, 2}, "\1\2\3\xff"));
    CHECK(elements(gr::data::load_idx<gr::tensor<float, gr::dyn, 2>>(path)) == std::vector<float>{1, 2, 3, 255});
    CHECK(gr::data::load_idx(path).dtype() == gr::dtype::int32);
    files::write(path, idx(9, {1}, "\xff"));
    CHECK(gr::data::load_idx(path).as<std::int32_t, 1>()(0) == -1);
    files::write(path, idx(11, {1}, "\xff\xfe"));
    CHECK(gr::data::load_idx(path).as<std::int32_t, 1>()(0) == -2);
    files::write(path, idx(12, {1}, std::string("\0\1\0\2", 4)));
    CHECK(gr::data::load_idx<gr::array<std::int64_t, 1>>(path)[0] == 65538);
    files::write(path, idx(13, {1}, std::string("\x3f\xc0\0\0", 4)));
    CHECK(gr::data::load_idx(path).as<float, 1>()(0) == 1.5f);
    files::write(path, idx(14, {1}, std::string("\xbf\xf8\0\0\0\0\0\0", 8)));
    CHECK(gr::data::load_idx(path).as<double, 1>()(0) == -1.5);
}

TEST_CASE("load_idx: files that are not right") {
    files::temporary const directory;
    auto const path = directory / "x";
    auto const refused_file = [&](std::string const& bytes) {
        files::write(path, bytes);
        return refused([&] { gr::data::load_idx(path); });
    };
    CHECK(refused_file("") ==
          "gradus::data::load_idx: " + path.string() + ": byte 0: the beginning of an IDX file of 4 bytes, where the file has 0");
    CHECK(contains(refused_file("\x1f\x8b\x08 "), "a gzip file: run gunzip on it first"));
    CHECK(contains(refused_file("text"), "byte 0: an IDX file begins with two zero bytes, this one with \"text\""));
    CHECK(contains(refused_file(idx(10, {1}, "x")), "byte 2: elements of the type 10, which IDX has not"));
    CHECK(contains(refused_file(idx(8, {3}, "xx")), "byte 8: 3 bytes of elements for [3], where the file has 2"));
    CHECK(contains(refused_file(idx(8, {3}, "xxxx")), "3 bytes of elements for [3], where the file has 4"));
    CHECK(contains(refused_file(idx(8, {4294967295, 4294967295}, "x")),
                   "byte 8: too many elements: [4294967295] and an extent of 4294967295"));
    CHECK(contains(refused_file(idx(8, {1, 1, 1, 1, 1, 1, 1}, "x")), "more than 6 axes"));
    CHECK(contains(refused_file(idx(8, {1, 1}, "").substr(0, 9)), "byte 8: an extent of 4 bytes, where the file has 1"));
}

TEST_CASE("mnist: pictures in [0, 1], labels, in the shape that is asked for") {
    files::temporary const directory;
    write_digits(directory, "train");
    auto const digits = gr::data::mnist<6>(directory / "");
    auto const& [pictures, labels] = digits.tensors();
    static_assert(std::is_same_v<decltype(pictures), gr::tensor<float, gr::dyn, 6> const>);
    CHECK(digits.size() == 2);
    CHECK(pictures(0, 1) == 1.0f / 255);
    CHECK(pictures(1, 0) == 1);
    CHECK(elements(labels) == std::vector<std::int64_t>{7, 3});
    auto const planes = gr::data::mnist<1, 2, 3>(directory / "");
    CHECK(std::get<0>(planes.tensors())(1, 0, 1, 2) == 250.0f / 255);
    CHECK(contains(messages::of<gr::shape_error>([&] { gr::data::mnist<784>(directory / ""); }),
                   "the file has [2,2,3], asked for is a picture of [784]"));
    CHECK(contains(refused([&] { gr::data::mnist<6>(directory / "", false); }), "there is no file t10k-images-idx3-ubyte"));
    files::write(directory / "t10k-images-idx3-ubyte.gz", "");
    CHECK(contains(refused([&] { gr::data::mnist<6>(directory / "", false); }), "but its .gz: run gunzip on it first"));
    std::filesystem::rename(directory / "train-labels-idx1-ubyte", directory / "train-labels.idx1-ubyte");
    CHECK(gr::data::mnist<6>(directory / "").size() == 2);
    files::write(directory / "train-labels.idx1-ubyte", idx(8, {3}, "\1\2\3"));
    CHECK(contains(messages::of<gr::shape_error>([&] { gr::data::mnist<6>(directory / ""); }),
                   "3 samples in int64[3], 2 in the first tensor"));
}
