// SPDX-License-Identifier: BSL-1.0
#include "files.hpp"

#include <gradus/io.hpp>

#include <map>

// What torch.save wrote (test/golden/io/recipe_pt.py), and pickles that lie or call what they should not.

namespace gr = gradus;
namespace nn = gr::nn;
using files::golden;
using files::refused;
using messages::contains;
using messages::elements;
using floats = std::vector<float>;

namespace {

template <class N>
std::string bytes_of_number(N n) {
    return {reinterpret_cast<char const*>(&n), sizeof n};
}
std::string text(std::string const& s) { return "X" + bytes_of_number(static_cast<std::uint32_t>(s.size())) + s; }
std::string integer(std::int64_t n) { return "\x8a\x08" + bytes_of_number(n); }
std::string tuple(std::vector<std::int64_t> const& all) {
    std::string made = "(";
    for (std::int64_t n : all) made += integer(n);
    return made + "t";
}
/// {"w": a tensor of member 0, a storage of that many elements}.
std::string with_tensor(std::string const& storage, std::int64_t count, std::int64_t offset, std::vector<std::int64_t> const& sizes,
                        std::vector<std::int64_t> const& strides, std::string const& function = "torch._utils\n_rebuild_tensor_v2\n",
                        std::string const& key = "0") {
    return "\x80\x02}" + text("w") + "c" + function + "((" + text("storage") + "ctorch\n" + storage + "\n" + text(key) + text("cpu") +
           integer(count) + "tQ" + integer(offset) + tuple(sizes) + tuple(strides) + "\x89}tRs.";
}
std::string four_floats() {
    float const all[] = {1, 2, 3, 4};
    return {reinterpret_cast<char const*>(all), sizeof all};
}
gr::io::state_dict read(std::string const& pickle) {
    return gr::io::load_pt(files::as_bytes(files::archive_of({{"x/data.pkl", pickle}, {"x/data/0", four_floats()}})));
}
std::string said_of(std::string const& pickle) {
    return refused([&] { read(pickle); });
}

}  // namespace

TEST_CASE("load_pt: the state dict of a module goes into one of the same names") {
    gr::io::state_dict const read = gr::io::load_pt(golden("model.pt"));
    std::string names;
    for (auto const& [name, value] : read) names += name + ' ';
    CHECK(names == "0.weight 0.bias 1.weight 1.bias 1.running_mean 1.running_var 1.num_batches_tracked ");
    CHECK(elements(read[0].second.as<float, 2, 3>()) == floats{0, 0.25f, 0.5f, 0.75f, 1, 1.25f});
    CHECK(read[6].second.as<std::int64_t>().item() == 0);
    gr::random random(1);
    nn::sequential const net(nn::linear<float, 3, 2>(random), nn::batch_norm<float, 2>{});
    nn::load_state_dict(net, read);
    CHECK(elements(nn::parameters(net)[1].as<float, 2>()) == floats{0.25f, 0.5f});
}

TEST_CASE("load_pt: all types, views, and numbers in dicts and lists") {
    std::map<std::string, gr::any_tensor> read;
    for (auto const& [name, value] : gr::io::load_pt(golden("nested.pt"))) read[name] = value;
    CHECK(read.size() == 23);
    CHECK(elements(read["types.double"].as<double, 2>()) == std::vector<double>{-0.125, 0});
    CHECK(static_cast<float>(read["types.half"].as<gr::float16, 3>()(2)) == 1);
    CHECK(static_cast<float>(read["types.brain"].as<gr::bfloat16, 2>()(1)) == 2);
    CHECK(read["types.int64"].as<std::int64_t, 2>()(1) == (std::int64_t{1} << 40) + 1);
    CHECK(elements(read["types.int32"].as<std::int32_t, 2>()) == std::vector<std::int32_t>{-1, 0});
    CHECK(elements(read["types.int16"].as<std::int32_t, 2>()) == std::vector<std::int32_t>{-32768, 5});
    CHECK(read["types.int8"].as<std::int32_t, 1>()(0) == -128);
    CHECK(elements(read["types.uint8"].as<std::int32_t, 2>()) == std::vector<std::int32_t>{255, 0});
    CHECK(read["types.bool"].as<bool, 2>()(0));
    CHECK(read["types.scalar"].as<float>().item() == 2.5f);
    CHECK(read["types.empty"].shape() == gr::shape{0, 3});
    CHECK(elements(read["views.0"].as<float, 2, 3>()) == floats{0, 1, 2, 3, 4, 5});
    CHECK(elements(read["views.1"].as<float, 3, 2>()) == floats{0, 3, 1, 4, 2, 5});
    CHECK(elements(read["views.2"].as<float, 2, 2>()) == floats{1, 2, 4, 5});
    CHECK(elements(read["views.3"].as<float, 2, 3>()) == floats{0, 1, 2, 0, 1, 2});
    CHECK(elements(read["views.4"].as<float, 2, 3>()) == floats{0, 1, 2, 3, 4, 5});
    CHECK(read["epoch"].item() == 3);
    CHECK(read["negative"].item() == -70000);
    CHECK(read["large"].as<std::int64_t>().item() == std::int64_t{1} << 40);
    CHECK(read["rate"].as<double>().item() == 0.125);
    CHECK(read["done"].as<bool>().item());
    CHECK(read["7.0"].as<float, 1>()(0) == 1);
    CHECK(read["7.1"].item() == 300);
}

TEST_CASE("load_pt: functions and classes of Python are refused by name, and never called") {
    CHECK(contains(refused([] { gr::io::load_pt(golden("module.pt")); }),
                   "\"torch.nn.modules.linear.Linear\": a function or class of Python that is not read"));
    CHECK(contains(said_of("\x80\x02"
                           "cos\nsystem\n" +
                           text("true") + "\x85R."),
                   "byte 2: \"os.system\": a function or class of Python"));
    CHECK(contains(said_of(with_tensor("FloatStorage", 4, 0, {4}, {1}, "builtins\neval\n")), "\"builtins.eval\""));
    CHECK(contains(said_of(with_tensor("Float", 4, 0, {4}, {1})), "\"torch.Float\""));
    CHECK(contains(said_of("ctorch\nFloatStorage\n)R."), "with other arguments than torch.save writes"));
    CHECK(contains(said_of("}ccollections\nOrderedDict\n}\x85Rs."), "with other arguments"));
    CHECK(contains(said_of("ctorch\nFloatStorage\n."), "is neither a tensor nor a number"));
    CHECK(contains(said_of("K\1)R."), "a call of what is no function"));
    CHECK(contains(said_of("\x93."), "byte 0: instruction 147 of a pickle, which torch.save does not write"));
}

TEST_CASE("load_pt: tensors are inside of their memory, and there is as much as they say") {
    CHECK(elements(read(with_tensor("FloatStorage", 4, 1, {3}, {1}))[0].second.as<float, 3>()) == floats{2, 3, 4});
    CHECK(elements(read(with_tensor("FloatStorage", 4, 0, {2, 2}, {1, 2}))[0].second.as<float, 2, 2>()) == floats{1, 3, 2, 4});
    CHECK(read(with_tensor("FloatStorage", 4, 9, {0}, {1}))[0].second.size() == 0);
    std::string const beyond = "a tensor whose elements are not in its memory of 4";
    CHECK(contains(said_of(with_tensor("FloatStorage", 4, 2, {3}, {1})), beyond));
    CHECK(contains(said_of(with_tensor("FloatStorage", 4, -1, {3}, {1})), beyond));
    CHECK(contains(said_of(with_tensor("FloatStorage", 4, 3, {3}, {-1})), beyond));
    CHECK(contains(said_of(with_tensor("FloatStorage", 4, 0, {3}, {INT64_MAX})), beyond));
    CHECK(contains(said_of(with_tensor("FloatStorage", 4, 0, {4}, {1, 1})), beyond));
    CHECK(contains(said_of(with_tensor("FloatStorage", 4, 0, {INT64_MAX, 16}, {0, 0})), "too many elements"));
    CHECK(contains(said_of(with_tensor("FloatStorage", 4, 0, {1, 1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1, 1})), "more than 6 axes"));
    CHECK(contains(said_of(with_tensor("FloatStorage", 4, 0, {100000, 4}, {0, 1})), "tensors that repeat elements"));
    CHECK(
        contains(said_of(with_tensor("FloatStorage", 5, 0, {4}, {1})), "memory of 5 elements, where the member \"x/data/0\" has 16 bytes"));
    CHECK(contains(said_of(with_tensor("FloatStorage", -1, 0, {4}, {1})), "memory of tensors that is told otherwise"));
    CHECK(contains(said_of(with_tensor("FloatStorage", 4, 0, {4}, {1}, "torch._utils\n_rebuild_tensor_v2\n", "1")),
                   "the archive has no member \"x/data/1\""));
    auto const big = [](std::string const& order) {
        return gr::io::load_pt(files::as_bytes(files::archive_of({{"x/data.pkl", with_tensor("IntStorage", 1, 0, {1}, {1})},
                                                                  {"x/byteorder", order},
                                                                  {"x/data/0", std::string("\0\0\1\2", 4)}})));
    };
    CHECK(big("big")[0].second.item() == 258);
    CHECK(big("little")[0].second.item() == 33619968);
}

TEST_CASE("load_pt: pickles that are damaged, endless or no state dicts") {
    CHECK(contains(refused([] { gr::io::load_pt(golden("legacy.pt")); }), "as torch.save wrote before PyTorch 1.6"));
    CHECK(contains(refused([] { gr::io::load_pt(golden("stored.npz")); }), "an archive without data.pkl"));
    std::string const whole = with_tensor("FloatStorage", 4, 0, {4}, {1});
    for (std::size_t size = 0; size < whole.size(); ++size) CHECK(contains(said_of(whole.substr(0, size)), "byte "));
    CHECK(contains(said_of(whole + "."), "ends with more than one value, or too early"));
    CHECK(contains(said_of("}}."), "ends with more than one value"));
    CHECK(contains(said_of("."), "without its operands"));
    CHECK(contains(said_of("}K\1s."), "without its operands"));
    CHECK(contains(said_of("}(K\1u."), "a key without a value"));
    CHECK(contains(said_of("]K\1K\2s."), "for another kind of value"));
    CHECK(contains(said_of("}K\1u."), "without the mark"));
    CHECK(contains(said_of("}NK\1s."), "a key that is neither a text nor an integer"));
    CHECK(contains(said_of("h\1."), "asks for what it has not put away"));
    CHECK(contains(said_of("}r\xff\xff\xff\x7f."), "asks for what it has not put away"));
    CHECK(contains(said_of("}q\1K\1h\1s."), "a dict that contains itself"));
    CHECK(contains(said_of("\x8a\x09"
                           "123456789."),
                   "an integer of 9 bytes"));
    CHECK(contains(said_of("}(" + text("a") + "K\1" + text("a") + "K\2u."), "two tensors are named \"a\""));
    // pairs of the pair before, twice: 2^30 values of 100 bytes
    std::string nested = std::string("]q\0", 3);
    for (char i = 0; i < 30; ++i) nested += std::string("h") + i + "\x86q" + static_cast<char>(i + 1);
    CHECK(contains(said_of(nested + "."), "too deep or too often"));
    CHECK(read("K\7.")[0].second.item() == 7);
}
