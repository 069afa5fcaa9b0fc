// SPDX-License-Identifier: BSL-1.0
#include "files.hpp"

#include <gradus/io.hpp>

#include <csignal>

#include <sys/resource.h>
#include <sys/stat.h>

namespace gr = gradus;
using files::golden;
using files::refused;
using messages::contains;
using messages::elements;

namespace {

/// NumPy's array, read: of that type, counted up from `first` in steps.
template <class T, gr::extent... E>
void check_counted(std::string const& name, double first, double step = 1) {
    CAPTURE(name);
    auto const read = gr::io::load_npy<gr::tensor<T, E...>>(golden(name));
    std::int64_t n = 0;
    for (T x : read) CHECK(static_cast<double>(x) == first + step * static_cast<double>(n++));
    CHECK(gr::io::load_npy(golden(name)).dtype() == gr::dtype_of<T>);
    auto const values = gr::io::load_npy<gr::array<T, E...>>(golden(name));
    CHECK(std::equal(values.begin(), values.end(), read.begin()));
}
/// A file like NumPy's but for its header.
std::string npy(std::string const& dictionary, std::string const& elements) {
    std::string header = "\x93NUMPY";
    header += {'\1', '\0', static_cast<char>(dictionary.size()), '\0'};
    return header + dictionary + elements;
}
std::string refused_header(std::string const& dictionary, std::string const& elements = std::string(8, '\0')) {
    std::string const file = npy(dictionary, elements);
    return refused([&] { gr::io::load_npy(files::as_bytes(file)); });
}

}  // namespace

TEST_CASE("load_npy: NumPy's files of our dtypes") {
    check_counted<std::int32_t, 2, 3>("int32.npy", -2);
    check_counted<std::int64_t, 4>("int64.npy", -2);
    check_counted<float, 2, 3, 4>("float.npy", -1.25, 0.25);
    check_counted<double, 3, 1>("double.npy", -0.125, 0.125);
    check_counted<gr::float16, 5>("float16.npy", -1, 0.5);
    check_counted<double>("scalar.npy", 2.5);
    check_counted<float, 0, 3>("empty.npy", 0);
    check_counted<float, 2, 3>("version2.npy", 0);
    check_counted<float, 2, 3>("version3.npy", 0);
    CHECK(elements(gr::io::load_npy<gr::tensor<bool, 2, 3>>(golden("bool.npy"))) == std::vector{true, false, true, false, false, true});
}

TEST_CASE("load_npy: Fortran order and big-endian numbers become ours") {
    check_counted<float, 2, 3, 4>("fortran.npy", 0);
    check_counted<double, 2, 3>("fortran_big.npy", 0);
    check_counted<std::int32_t, 2, 2>("big.npy", -1);
}

TEST_CASE("load_npy: types that tensors have not become the next that hold all their values") {
    check_counted<std::int32_t, 2, 3>("uint8.npy", 250);
    check_counted<std::int32_t, 3>("int8.npy", -128);
    check_counted<std::int32_t, 2>("uint16.npy", 65534);
    check_counted<std::int32_t, 2>("int16.npy", -32768);
    check_counted<std::int64_t, 2>("uint32.npy", 4294967294.0);
}

TEST_CASE("load_npy: what is asked for holds all values of the file's type, or is refused") {
    CHECK(gr::io::load_npy<gr::tensor<float, 2, 3>>(golden("uint8.npy"))(1, 2) == 255);
    CHECK(gr::io::load_npy<gr::tensor<gr::bfloat16, 2, 3>>(golden("uint8.npy"))(1, 2) == 255);
    CHECK(gr::io::load_npy<gr::tensor<double, 2, 3>>(golden("int32.npy"))(0, 0) == -2);
    CHECK(gr::io::load_npy<gr::tensor<float, gr::dyn>>(golden("float16.npy"))(1) == -0.5f);
    CHECK(gr::io::load_npy<gr::tensor<std::int64_t, 2, 3>>(golden("bool.npy"))(0, 0) == 1);
    CHECK(contains(refused([] { gr::io::load_npy<gr::tensor<float, 2, 3>>(golden("int32.npy")); }),
                   "int32.npy: byte 0: the elements are int32, all values of which float, asked for, does not hold"));
    CHECK(contains(refused([] { gr::io::load_npy<gr::tensor<float, 3, 1>>(golden("double.npy")); }), "the elements are double"));
    CHECK(contains(refused([] { gr::io::load_npy<gr::tensor<bool, 2, 3>>(golden("uint8.npy")); }), "the elements are uint8"));
    CHECK(contains(refused([] { gr::io::load_npy<gr::tensor<float, 2>>(golden("uint16.npy")); }), "nothing is thrown"));
    CHECK(contains(refused([] { gr::io::load_npy<gr::tensor<std::int32_t, 2>>(golden("uint32.npy")); }), "the elements are uint32"));
    CHECK(contains(refused([] { gr::io::load_npy<gr::tensor<gr::float16, 2>>(golden("int16.npy")); }), "the elements are int16"));
    CHECK(contains(refused([] { gr::io::load_npy(golden("uint64.npy")); }),
                   "byte 0: the elements are uint64, all values of which no dtype holds"));
    CHECK(contains(refused([] { gr::io::load_npy(golden("complex.npy")); }),
                   "in the header: elements of the type \"<c8\", which no dtype holds"));
    CHECK(contains(refused([] { gr::io::load_npy(golden("string.npy")); }), "elements of the type \"<U3\""));
    CHECK(contains(refused([] { gr::io::load_npy(golden("records.npy")); }), "the elements are records, which are no tensor"));
}

TEST_CASE("load_npy: of bools any byte but 0 is true, as NumPy reads them") {
    std::string const file = npy("{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}", std::string("\0\1\x80", 3));
    CHECK(elements(gr::io::load_npy<gr::tensor<bool, 3>>(files::as_bytes(file))) == std::vector{false, true, true});
    CHECK(elements(gr::io::load_npy<gr::tensor<float, 3>>(files::as_bytes(file))) == std::vector<float>{0, 1, 1});
}

TEST_CASE("load_npy: another shape than the one asked for is a shape_error with the file") {
    CHECK(messages::of<gr::shape_error>([] { gr::io::load_npy<gr::tensor<float, 2, 4, gr::dyn>>(golden("float.npy")); }) ==
          "gradus::io::load_npy: " + golden("float.npy") + ": the file has float[2,3,4], asked for is float[2,4,dyn]");
}

TEST_CASE("save_npy: the bytes are NumPy's") {
    files::temporary const directory;
    for (char const* name : {"bool.npy", "int32.npy", "int64.npy", "float.npy", "double.npy", "float16.npy", "scalar.npy", "empty.npy"}) {
        CAPTURE(name);
        gr::io::save_npy(directory / name, gr::io::load_npy(golden(name)));
        CHECK(files::bytes_of(directory / name) == files::bytes_of(golden(name)));
    }
    gr::array<double, 3, 1> const column{-0.125, 0, 0.125};
    gr::io::save_npy(directory / "column.npy", column);
    CHECK(files::bytes_of(directory / "column.npy") == files::bytes_of(golden("double.npy")));
    CHECK(directory.count() == 9);
}

TEST_CASE("save_npy: views are written in their order, recorded tensors without their history") {
    files::temporary const directory;
    gr::tensor<float, 2, 3> const m{{1, 2, 3}, {4, 5, 6}};
    m.requires_grad_();
    gr::io::save_npy(directory / "t.npy", m.t());
    auto const read = gr::io::load_npy<gr::tensor<float, 3, 2>>(directory / "t.npy");
    CHECK(elements(read) == std::vector<float>{1, 4, 2, 5, 3, 6});
    CHECK(!read.requires_grad());
    read.copy_(7);  // the memory is its own
    CHECK(gr::io::load_npy<gr::tensor<float, 3, 2>>(directory / "t.npy")(0, 0) == 1);
}

TEST_CASE("save_npy: bfloat16 is written and read as <V2, as ml_dtypes writes it") {
    files::temporary const directory;
    gr::tensor<gr::bfloat16, 2> const x{gr::bfloat16(1.5f), gr::bfloat16(-2)};
    gr::io::save_npy(directory / "x.npy", x);
    CHECK(contains(files::bytes_of(directory / "x.npy"), "'<V2'"));
    CHECK(gr::io::load_npy<gr::tensor<gr::bfloat16, 2>>(directory / "x.npy")(1) == -2);
    CHECK(gr::io::load_npy<gr::tensor<float, 2>>(directory / "x.npy")(0) == 1.5f);
}

TEST_CASE("save_npy: a file that cannot be written is refused, and what was there stays") {
    files::temporary const directory;
    gr::tensor<float, 2> const x{1, 2};
    CHECK(contains(refused([&] { gr::io::save_npy(directory / "none/x.npy", x); }), "cannot be created: No such file or directory"));
    CHECK(contains(refused([&] { gr::io::save_npy(directory / ".", x); }), "is a directory"));
    CHECK(contains(refused([&] { gr::io::save_npy("/dev/null", x); }), "/dev/null: is no regular file"));
    files::write(directory / "x.npy", "before");
    CHECK_THROWS_AS(gr::io::save_npy(directory / "x.npy", gr::any_tensor()), gr::error);
    CHECK(files::bytes_of(directory / "x.npy") == "before");
    std::filesystem::create_symlink("x.npy", directory / "link.npy");
    gr::io::save_npy(directory / "link.npy", x);
    CHECK(std::filesystem::is_symlink(directory / "link.npy"));
    CHECK(gr::io::load_npy<gr::tensor<float, 2>>(directory / "x.npy")(1) == 2);
    CHECK(directory.count() == 2);
}

TEST_CASE("save_npy: a disk that is full leaves the old file, and no part of the new one") {
    files::temporary const directory;
    auto const path = directory / "x.npy";
    gr::io::save_npy(path, gr::tensor<float, 2>{1, 2});
    ::chmod(path.c_str(), 0600);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    auto const handler = std::signal(SIGXFSZ, SIG_IGN);  // a limit on files' sizes stands for the disk
    rlimit const small{4096, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    std::string const said = refused([&] { gr::io::save_npy(path, gr::zeros<float, 10000>()); });
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    CHECK(contains(said, "cannot be written: File too large"));
    CHECK(gr::io::load_npy<gr::tensor<float, 2>>(path)(1) == 2);
    CHECK(directory.count() == 1);

    gr::io::save_npy(path, gr::tensor<float, 2>{3, 4});  // whoever might not read the old one may not read the new one
    CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::mask) == std::filesystem::perms(0600));
    CHECK(gr::io::load_npy<gr::tensor<float, 2>>(path)(1) == 4);
}

TEST_CASE("load_npy: files that are not there, cut short, too long or of another kind") {
    files::temporary const directory;
    CHECK(refused([&] { gr::io::load_npy(directory / "none.npy"); }) ==
          "gradus::io::load_npy: " + (directory / "none.npy").string() + ": cannot be opened: No such file or directory");
    CHECK(contains(refused([&] { gr::io::load_npy(directory / "."); }), "is a directory"));
    CHECK(contains(refused([&] { gr::io::load_npy("/dev/zero"); }), "is no regular file"));
    std::string const whole = files::bytes_of(golden("float.npy"));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        files::write(directory / "cut.npy", whole.substr(0, size));
        CHECK(contains(refused([&] { gr::io::load_npy(directory / "cut.npy"); }), "cut.npy: byte "));
    }
    files::write(directory / "long.npy", whole + "x");
    CHECK(contains(refused([&] { gr::io::load_npy(directory / "long.npy"); }),
                   "byte 128: 96 bytes of elements for [2,3,4], where the file has 97"));
    files::write(directory / "zip.npy", files::bytes_of(golden("stored.npz")));
    CHECK(contains(refused([&] { gr::io::load_npy(directory / "zip.npy"); }), "begins with \\x93NUMPY, this one with \"PK?"));
}

TEST_CASE("load_npy: headers that lie or are none") {
    CHECK(refused_header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }") == "nothing is thrown");
    CHECK(refused_header("{\"shape\":(1L,2L),\"descr\":\"<f4\",\"fortran_order\":True}\n") == "nothing is thrown");
    std::string const unknown = "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }";
    CHECK(refused_header(unknown) ==
          "gradus::io::load_npy: memory: byte 25: in the header: elements of the type \"<c8\", which no dtype holds");
}
TEST_CASE("load_npy: sizes are checked against the file before memory is asked for") {
    auto const shaped = [](std::string const& shape) {
        return refused_header("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + "}");
    };
    CHECK(contains(shaped("(1000000000000,)"), "4000000000000 bytes of elements for [1000000000000], where the file has 8"));
    CHECK(contains(shaped("(9223372036854775807, 3)"), "byte 61: too many elements: [] and an extent of 9223372036854775807"));
    CHECK(contains(shaped("(0, 4611686018427387904, 4611686018427387904)"), "too many elements: [0] and an extent of 4611686018427387904"));
    CHECK(contains(shaped("(99999999999999999999,)"), "a number of more than 64 bits"));
    CHECK(contains(shaped("(1, 1, 1, 1, 1, 1, 2)"), "more than 6 axes"));
    CHECK(contains(shaped("(-2,)"), "a number is missing"));
    CHECK(contains(shaped("(2"), "',' or ')' is missing"));
    CHECK(contains(shaped("2"), "'(' is missing"));
    CHECK(contains(shaped("(2,), 'shape': (2,)"), "an entry that no header has, or a second one: \"shape\""));
    CHECK(contains(shaped("(2,), 'more': 1"), "an entry that no header has, or a second one: \"more\""));
    CHECK(contains(refused_header("{'descr': '<f4', 'shape': (2,)}"), "one of 'descr', 'fortran_order', 'shape' is missing"));
    CHECK(contains(refused_header("{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}"), "True or False is missing"));
    CHECK(contains(refused_header("{'descr': '<f4"), "a string without end"));
    CHECK(contains(refused_header("{'descr': '', 'fortran_order': False, 'shape': (2,)}"), "elements of the type \"\""));
    CHECK(contains(refused_header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x"), "something after the dictionary"));
    std::string const huge = std::string("\x93NUMPY\2\0\xff\xff\xff\xff", 12);
    CHECK(
        contains(refused([&] { gr::io::load_npy(files::as_bytes(huge)); }), "byte 12: a header of 4294967295 bytes, where the file has 0"));
    std::string const future = std::string("\x93NUMPY\4\0\0\0\0\0", 12);
    CHECK(contains(refused([&] { gr::io::load_npy(files::as_bytes(future)); }), "byte 6: version 4 of the format, which has 1 to 3"));
}
