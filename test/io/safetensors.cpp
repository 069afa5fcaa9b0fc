// SPDX-License-Identifier: BSL-1.0
#include "files.hpp"

#include <gradus/io.hpp>
#include <gradus/io/safetensors.hpp>

namespace gr = gradus;
using files::golden;
using files::refused;
using messages::contains;
using messages::elements;

namespace {

std::string file(std::string const& json, std::string const& elements = {}) {
    std::string bytes(8, '\0');
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(json.size() >> (8 * i));
    return bytes + json + elements;
}
std::string refused_json(std::string const& json, std::string const& elements = std::string(8, '\0')) {
    std::string const bytes = file(json, elements);
    return refused([&] { gr::io::load_safetensors(files::as_bytes(bytes)); });
}
std::string entry(std::string const& shape, std::string const& offsets, std::string const& dtype = "F32") {
    return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}
gr::any_tensor const& at(gr::io::state_dict const& dict, std::string const& name) {
    for (auto const& [key, t] : dict)
        if (key == name) return t;
    throw gr::error("no tensor " + name);
}
bool is_inside(gr::any_tensor const& t, std::size_t alignment) { return reinterpret_cast<std::uintptr_t>(t.data()) % alignment == 0; }

}  // namespace

TEST_CASE("load_safetensors: every dtype, names, empty tensors, scalars") {
    for (bool const mapped : {true, false}) {
        gr::io::state_dict const read = gr::io::load_safetensors(golden("numpy.safetensors"), {.mmap = mapped});
        REQUIRE(read.size() == 8);
        CHECK(read[0].first == "größe \"x\"");
        CHECK(read[0].second.as<double, 1, 1>()(0, 0) == 0.5);
        CHECK(at(read, "steps").as<std::int64_t>().item() == 7);
        CHECK(elements(at(read, "weight").as<float, 3, 2>()) == std::vector<float>{0, 1, 2, 3, 4, 5});
        CHECK(elements(at(read, "mask").as<bool, 3>()) == std::vector{true, false, true});
        CHECK(elements(at(read, "pixels").as<std::int32_t, 2, 2>()) == std::vector{250, 251, 252, 253});
        CHECK(static_cast<float>(at(read, "half").as<gr::float16, 3>()(0)) == -1);
        CHECK(static_cast<float>(at(read, "brain").as<gr::bfloat16, 2>()(0)) == 1.5f);
        CHECK(at(read, "none").shape() == gr::shape{0, 4});
    }
    auto const texts = gr::io::load_safetensors_metadata(golden("numpy.safetensors"));
    CHECK(texts == gr::io::metadata{{"format", "pt"}, {"epoch", "3"}});
}

TEST_CASE("load_safetensors: a mapped file is not copied, and not changed by writing to its tensors") {
    files::temporary const directory;
    std::filesystem::copy(golden("numpy.safetensors"), directory / "x.safetensors");
    gr::any_tensor weight;
    {
        gr::io::state_dict const read = gr::io::load_safetensors(directory / "x.safetensors");
        weight = at(read, "weight");
        CHECK(is_inside(weight, alignof(float)));
        auto const distance = static_cast<std::byte*>(weight.data()) - static_cast<std::byte*>(at(read, "steps").data());
        CHECK(distance == 8);  // as in the file
    }
    weight.as<float, 3, 2>().fill_(9);  // the pages live as long as a tensor shows them
    CHECK(at(gr::io::load_safetensors(directory / "x.safetensors"), "weight").as<float, 3, 2>()(0, 1) == 1);
    gr::io::save_safetensors(directory / "x.safetensors", {});  // replaced, not written over
    CHECK(weight.as<float, 3, 2>()(2, 1) == 9);
    CHECK(gr::io::load_safetensors(directory / "x.safetensors").empty());
}

TEST_CASE("load_safetensors: elements that are not aligned are copied") {
    std::string const bytes = file(R"({"a":)" + entry("[1]", "[0,1]", "U8") + R"(,"b":)" + entry("[2]", "[1,9]") + "}",
                                   "\1" + std::string("\0\0\x80\x3f\0\0\0\x40", 8));
    files::temporary const directory;
    files::write(directory / "x", bytes);
    gr::io::state_dict const read = gr::io::load_safetensors(directory / "x");
    CHECK(elements(at(read, "b").as<float, 2>()) == std::vector<float>{1, 2});
    CHECK(is_inside(at(read, "b"), alignof(float)));
}

TEST_CASE("load_safetensors: of bools any byte but 0 is true; a tensor's bools are 0 and 1 in memory") {
    files::temporary const directory;
    files::write(directory / "x", file(R"({"a":)" + entry("[3]", "[0,3]", "BOOL") + "}", std::string("\0\1\x80", 3)));
    gr::any_tensor const a = gr::io::load_safetensors(directory / "x")[0].second;
    CHECK(std::memcmp(a.data(), "\0\1\1", 3) == 0);
}

TEST_CASE("save_safetensors: reads back, aligned, in the dictionary's order; recipe.py reads it in Python") {
    files::temporary const directory;
    gr::io::state_dict dict = gr::io::load_safetensors(golden("numpy.safetensors"));
    std::reverse(dict.begin(), dict.end());
    gr::io::save_safetensors(directory / "x.safetensors", dict, {{"format", "pt"}, {"epoch", "3"}});
    CHECK(files::bytes_of(directory / "x.safetensors") == files::bytes_of(golden("ours.safetensors")));
    gr::io::state_dict const again = gr::io::load_safetensors(directory / "x.safetensors");
    REQUIRE(again.size() == dict.size());
    for (std::size_t i = 0; i < dict.size(); ++i) {
        CHECK(again[i].first == dict[i].first);
        gr::any_tensor const &a = again[i].second, &b = dict[i].second;
        CHECK(a.dtype() == b.dtype());
        CHECK(a.shape() == b.shape());
        CHECK(std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size() * gr::size_of(a.dtype()))) == 0);
        CHECK(is_inside(a, static_cast<std::size_t>(gr::size_of(a.dtype()))));
    }
    CHECK(directory.count() == 1);
}

TEST_CASE("save_safetensors: what could not be read again is refused, and no file is touched") {
    files::temporary const directory;
    auto const path = directory / "x.safetensors";
    gr::any_tensor const t = gr::tensor<float>{1};
    CHECK(contains(refused([&] { gr::io::save_safetensors(path, {{"a", t}, {"a", t}}); }), "two tensors are named \"a\""));
    CHECK(contains(refused([&] { gr::io::save_safetensors(path, {{"a", {}}}); }), "the tensor \"a\" is undefined"));
    CHECK(contains(refused([&] { gr::io::save_safetensors(path, {{"__metadata__", t}}); }), "cannot be named"));
    CHECK(contains(refused([&] { gr::io::save_safetensors(path, {{"\xff", t}}); }), "the name or text \"?\" is no UTF-8"));
    CHECK(contains(refused([&] { gr::io::save_safetensors(path, {}, {{"a", "1"}, {"a", "2"}}); }), "two texts are named \"a\""));
    CHECK(directory.count() == 0);
}

TEST_CASE("load_safetensors: headers that lie") {
    std::string const good = R"({"a":)" + entry("[2]", "[0,8]") + "}";
    CHECK(refused_json(good) == "nothing is thrown");
    CHECK(refused_json(good + "   ") == "nothing is thrown");
    CHECK(refused_json(R"({"a":)" + entry("[3]", "[0,8]") + "}") ==
          "gradus::io::load_safetensors: memory: byte 8: in the header: the tensor \"a\" of 12 bytes, [3], is told to be at 0 to 8");
    CHECK(contains(refused_json(good, ""), "the tensors have 8 bytes, the file 0"));
    CHECK(contains(refused_json(good, std::string(9, ' ')), "the tensors have 8 bytes, the file 9"));
    CHECK(contains(refused_json(R"({"a":)" + entry("[2]", "[8,0]") + "}"), "is told to be at 8 to 0"));
    CHECK(contains(refused_json(R"({"a":)" + entry("[1]", "[0,4]") + R"(,"b":)" + entry("[2]", "[0,8]") + "}"),
                   "the tensor \"b\" begins at 0, where the one before it ends at 4: they overlap"));
    CHECK(contains(refused_json(R"({"a":)" + entry("[1]", "[0,4]") + R"(,"b":)" + entry("[1]", "[8,12]") + "}", std::string(12, ' ')),
                   "there is a hole"));
    CHECK(contains(refused_json(R"({"a":)" + entry("[1]", "[0,4]") + R"(,"a":)" + entry("[1]", "[4,8]") + "}"),
                   "two entries are named \"a\""));
    CHECK(contains(refused_json(R"({"__metadata__":{"x":"1","x":"2"}})"), "two entries are named \"x\""));
    CHECK(contains(refused_json(R"({"a":)" + entry("[4611686018427387904,4]", "[0,8]") + "}"),
                   "too many elements: [] and an extent of 4611686018427387904"));
    CHECK(contains(refused_json(R"({"a":)" + entry("[1,1,1,1,1,1,1]", "[0,4]") + "}"), "more than 6 axes"));
    CHECK(contains(refused_json(R"({"a":)" + entry("[2]", "[0,8]", "F8_E4M3") + "}"),
                   "has the dtype \"F8_E4M3\", which no dtype here holds"));
    CHECK(contains(refused_json(R"({"a":)" + entry("[1]", "[0,8]", "U64") + "}"), "the elements are uint64"));
}

TEST_CASE("load_safetensors: JSON that is another, or none") {
    CHECK(contains(refused_json("[]"), "the header does not begin with '{'"));
    CHECK(contains(refused_json(""), "the header does not begin with '{'"));
    CHECK(contains(refused_json("{"), "the header is no JSON"));
    CHECK(contains(refused_json("{}x"), "byte 11: the header is no JSON"));
    CHECK(contains(refused_json(R"({"a":1})"), "a number where the format has none, after \"a\""));
    CHECK(contains(refused_json(R"({"a":[]})"), "a list where the format has none"));
    CHECK(contains(refused_json(R"({"a":"x"})"), "a string where"));
    CHECK(contains(refused_json(R"({"a":null})"), "null where"));
    CHECK(contains(refused_json(R"({"a":true})"), "true or false where"));
    CHECK(contains(refused_json(R"({"__metadata__":{"x":1}})"), "a number where"));
    CHECK(contains(refused_json(R"({"__metadata__":{"x":{}}})"), "an object where"));
    CHECK(contains(refused_json(R"({"a":{"dtype":"F32","shape":[-1]}})"), "a negative number where"));
    CHECK(contains(refused_json(R"({"a":{"dtype":"F32","shape":[1.5]}})"), "a number with a fraction"));
    CHECK(contains(refused_json(R"({"a":{"dtype":"F32","shape":[99999999999999999999]}})"), "or of more than 64 bits"));
    CHECK(contains(refused_json(R"({"a":{"dtype":"F32","shape":[[1]]}})"), "a list where"));
    CHECK(contains(refused_json(R"({"a":{"dtype":"F32","dtype":"F32"}})"), "that no tensor has, or a second one: \"dtype\""));
    CHECK(contains(refused_json(R"({"a":{"type":"F32"}})"), "or a second one: \"type\""));
    CHECK(contains(refused_json(R"({"a":{"dtype":"F32","shape":[2]}})"), "has no dtype, no shape or no data_offsets"));
    CHECK(contains(refused_json(R"({"a":)" + entry("[2]", "[0]") + "}"), "are not two numbers"));
    CHECK(contains(refused_json(R"({"a":)" + entry("[2]", "[0,8,8]") + "}"), "a number where"));
    // A tree of this would be gigabytes deep.
    CHECK(contains(refused_json("{\"a\":" + std::string(1'000'000, '[')), "a list where"));
}

TEST_CASE("load_safetensors: files cut short, and headers longer than the file") {
    std::string const whole = files::bytes_of(golden("numpy.safetensors"));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK(contains(refused([&] { gr::io::load_safetensors(files::as_bytes(whole).first(size)); }), "memory: byte "));
    }
    std::string const huge("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10);
    CHECK(contains(refused([&] { gr::io::load_safetensors(files::as_bytes(huge)); }),
                   "byte 0: a header of 18446744073709551615 bytes, where the format has at most 100000000"));
    std::string const large("\0\xe1\xf5\5\0\0\0\0{}", 10);
    CHECK(contains(refused([&] { gr::io::load_safetensors(files::as_bytes(large)); }),
                   "byte 8: a header of 100000000 bytes, where the file has 2"));
    files::temporary const directory;
    files::write(directory / "empty", "");
    CHECK(contains(refused([&] { gr::io::load_safetensors(directory / "empty"); }),
                   "byte 0: the length of a header of 8 bytes, where the file has 0"));
}
