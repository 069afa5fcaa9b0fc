// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <memory>
#include <optional>

#include "../tensor/messages.hpp"

namespace gr = gradus;
namespace nn = gr::nn;

namespace {

using row = gr::tensor<float, gr::dyn, 2>;

/// Named by a function, with a buffer, a number and a mode.
struct scaled {
    gr::tensor<float, 2> scale = gr::ones<float, 2>().requires_grad_();
    gr::tensor<float, 2> seen = gr::zeros<float, 2>();
    double factor = 2;
    nn::training_mode training;
    auto members() const { return nn::members("scale", scale, "factor", factor, "training", training).buffers("seen", seen); }
};
/// Named by Boost.Hana.
struct net {
    BOOST_HANA_DEFINE_STRUCT(net, (nn::linear<float, 2, 3>, body), (std::vector<scaled>, parts), (std::string, title),
                             (gr::tensor<std::int64_t>, count));
};
/// With a base, containers and holders.
struct holder : nn::module<holder> {
    std::tuple<scaled, nn::linear<float, 2, 2>> pair;
    std::array<scaled, 2> two;
    std::unique_ptr<nn::linear<float, 2, 1>> head;
    std::optional<scaled> maybe;

    explicit holder(gr::random& r) : pair{scaled{}, nn::linear<float, 2, 2>(r)}, head(std::make_unique<nn::linear<float, 2, 1>>(r)) {}
    auto members() const { return nn::members("pair", pair, "two", two, "head", head, "maybe", maybe); }
};

std::string names_of(nn::tensor_dict const& dict) {
    std::string all;
    for (auto const& [name, value] : dict) all += name + ' ';
    return all;
}
net made(std::uint64_t seed) {
    gr::random random(seed);
    net n{nn::linear<float, 2, 3>(random), std::vector<scaled>(2), "a net", gr::zeros<std::int64_t>()};
    return n;
}
std::vector<float> all_values(auto const& module) {
    std::vector<float> all;
    for (auto const& [name, value] : nn::state_dict(module))
        if (value.dtype() == gr::dtype::float32)
            all.insert(all.end(), value.template values<float>().begin(), value.template values<float>().end());
    return all;
}

}  // namespace

TEST_CASE("module: names of members, of Hana's structs, and of what stands in lists") {
    net const n = made(1);
    CHECK(names_of(nn::named_parameters(n)) == "body.weight body.bias parts.0.scale parts.1.scale ");
    CHECK(names_of(nn::named_buffers(n)) == "parts.0.seen parts.1.seen count ");
    CHECK(names_of(nn::state_dict(n)) == "body.weight body.bias parts.0.scale parts.0.seen parts.1.scale parts.1.seen count ");
    CHECK(nn::parameter_count(n) == 2 * 3 + 3 + 4);
    CHECK(nn::parameters(n)[1] == gr::any_tensor(n.body.bias));

    gr::random random(1);
    holder h(random);
    CHECK(names_of(h.named_parameters()) == "pair.0.scale pair.1.weight pair.1.bias two.0.scale two.1.scale head.weight head.bias ");
    h.maybe = scaled{};
    CHECK(names_of(h.named_parameters()).find("maybe.scale") != std::string::npos);
    h.head.reset();
    CHECK(names_of(h.named_parameters()).find("head") == std::string::npos);
    CHECK(h.parameters().size() == 6);
}

TEST_CASE("module: a tensor in several places is one parameter, and has all its names in the state") {
    gr::random random(1);
    nn::linear<float, 2, 2> a(random), b(random);
    b.weight = a.weight;
    CHECK(names_of(nn::named_parameters(std::tie(a, b))) == "0.weight 0.bias 1.bias ");
    CHECK(nn::parameters(a, b).size() == 3);
    CHECK(names_of(nn::state_dict(std::tie(a, b))) == "0.weight 0.bias 1.weight 1.bias ");
    CHECK(nn::parameter_count(std::tie(a, b)) == 8);
    CHECK(nn::load_state_dict(std::tie(a, b), nn::state_dict(std::tie(a, b))).missing.empty());
}

TEST_CASE("state_dict: shares memory with the module, requires no gradient") {
    net const n = made(1);
    nn::tensor_dict const dict = nn::state_dict(n);
    CHECK(dict[0].second.data() == n.body.weight.data());
    CHECK(!dict[0].second.requires_grad());
    CHECK(n.body.weight.requires_grad());
}

TEST_CASE("load_state_dict: copies all values, leaves leaves, and counts as a write") {
    net const from = made(1), to = made(2);
    from.parts[1].seen.fill_(7);
    from.count.fill_(5);
    gr::tensor y = gr::square(to.body.weight);
    CHECK(all_values(to) != all_values(from));
    nn::loaded const told = nn::load_state_dict(to, nn::state_dict(from));
    CHECK(told.missing.empty());
    CHECK(told.unexpected.empty());
    CHECK(all_values(to) == all_values(from));
    CHECK(to.count.item() == 5);
    CHECK(to.body.weight.data() != from.body.weight.data());
    CHECK(to.body.weight.requires_grad());
    CHECK(to.body.weight.is_leaf());
    CHECK(messages::of<gr::error>([&] { y.backward(gr::any_tensor(gr::ones<float, 3, 2>())); }).find("inplace") != std::string::npos);
}

TEST_CASE("load_state_dict: every mismatch is in one message, and nothing is changed") {
    net const n = made(1);
    nn::tensor_dict dict = nn::state_dict(made(2));
    dict[0].second = gr::zeros<float, 2, 3>();                // shape
    dict[2].second = gr::zeros<double, 2>();                  // dtype
    dict[3].first = "parts.0.scen";                           // missing, unexpected
    dict.emplace_back("head.weight", gr::zeros<float, 1>());  // unexpected
    dict.push_back(dict[1]);                                  // twice
    dict[4].second = gr::any_tensor();                        // undefined
    auto const before = all_values(n);
    std::string const said = messages::of<gr::error>([&] { nn::load_state_dict(n, dict); });
    for (char const* part :
         {"another type: body.weight is float[3,2], the dict has float[2,3]", "parts.0.scale is float[2], the dict has double[2]",
          "missing in the dict: parts.0.seen", "unexpected: parts.0.scen", "unexpected: head.weight", "twice in the dict: body.bias",
          "undefined: parts.1.scale"}) {
        CAPTURE(part);
        CHECK(said.find(part) != std::string::npos);
    }
    CHECK(all_values(n) == before);

    dict = nn::state_dict(made(2));
    dict[1].first = "else";
    CHECK_THROWS_AS(nn::load_state_dict(n, dict), gr::error);
    CHECK(all_values(n) == before);
    nn::loaded const told = nn::load_state_dict(n, dict, false);
    CHECK(told.missing == std::vector<std::string>{"body.bias"});
    CHECK(told.unexpected == std::vector<std::string>{"else"});
    CHECK(n.body.bias(0) == before[6]);
    CHECK(n.body.weight(0, 0) != before[0]);
    dict[0].second = gr::zeros<float, 2, 3>();
    CHECK_THROWS_AS(nn::load_state_dict(n, dict, false), gr::error);  // types differ: refused, strict or not
}

TEST_CASE("load_state_dict: dicts that share memory with the module, views, and tensors of nothing") {
    gr::random random(1);
    nn::linear<float, 2, 2> a(random), b(random);
    auto const of_a = a.weight.clone(), of_b = b.weight.clone();
    auto const both = std::tie(a.weight, b.weight);
    nn::load_state_dict(both, {{"0", b.weight}, {"1", a.weight}});  // exchanged, not copied one after the other
    CHECK(gr::allclose(a.weight, of_b, 0, 0));
    CHECK(gr::allclose(b.weight, of_a, 0, 0));
    nn::load_state_dict(std::tie(a.weight), {{"0", of_a.t()}});
    CHECK(a.weight(0, 1) == of_a(1, 0));
    gr::tensor<float, 0> nothing = gr::empty<float, 0>();
    nn::load_state_dict(std::tie(nothing), {{"0", gr::empty<float, 0>()}});
    gr::tensor<float, 2, 2> whole{1, 2, 3, 4};
    auto column = whole.slice<0, 1, 1, 1>();
    CHECK(messages::of<gr::error>([&] { nn::load_state_dict(std::tie(column), {{"0", gr::ones<float, 2, 1>()}}); }).find("gaps") !=
          std::string::npos);
}

TEST_CASE("module: train and eval reach all modes; 107 freezing reaches all parameters") {
    gr::random random(1);
    holder const h(random);
    h.eval();
    CHECK(!std::get<0>(h.pair).training);
    CHECK(!h.two[1].training);
    h.train();
    CHECK(h.two[1].training);
    nn::eval(std::tie(h));
    CHECK(!h.two[0].training);
    h.requires_grad_(false);
    for (gr::any_tensor const& p : h.parameters()) CHECK(!p.requires_grad());
    CHECK(h.parameters().size() == 7);
    CHECK(nn::parameter_count(h, true) == 0);
    h.requires_grad_();
    CHECK(nn::parameter_count(h, true) == h.parameter_count());
    CHECK(!std::get<0>(h.pair).seen.requires_grad());
    gr::tensor loss = gr::sum(h.two[0].scale * h.two[0].scale);
    loss.backward();
    CHECK(h.two[0].scale.grad().defined());
    h.zero_grad();
    CHECK(!h.two[0].scale.grad().defined());
}

TEST_CASE("module: apply calls for each module, those inside first") {
    gr::random random(1);
    holder const h(random);
    std::string order;
    nn::apply(h, [&]<class M>(M const& m) {
        order += std::is_same_v<M, scaled> ? 's' : std::is_same_v<M, holder> ? 'h' : 'l';
        if constexpr (requires { m.weight; }) nn::init::constant_(m.weight, 0.5);
    });
    CHECK(order == "slsslh");
    CHECK(std::get<1>(h.pair).weight(1, 1) == 0.5f);
    CHECK((*h.head).weight(0, 1) == 0.5f);
    CHECK((*h.head).weight.requires_grad());
}

TEST_CASE("sequential: hands on, names layers by number, fuses to one node") {
    gr::random random(1);
    nn::sequential const f(nn::linear<float, 2, 3>(random), [](auto const& x) { return gr::relu(x); }, nn::linear<float, 3, 1>(random));
    CHECK(names_of(f.named_parameters()) == "0.weight 0.bias 2.weight 2.bias ");
    row const x{{1, 2}, {-3, 4}, {0.5f, 0}};
    gr::tensor y = f(x);
    gr::tensor h = gr::relu(f.layer<0>()(x));
    gr::tensor z = f.layer<2>()(h);
    CHECK(gr::allclose(y, z, 1e-6, 1e-6));  // the same operations in other programs: a few roundings of numbers near 1
    for (gr::grad_function const& next : y.grad_fn().next_functions()) CHECK((!next || next.variable().defined()));
}

TEST_CASE("summary: a table of modules, their tensors and numbers") {
    net const n = made(1);
    n.body.requires_grad_(false);
    CHECK(nn::summary(n) == R"(module       type    tensors                           parameters
.            net     count int64                       13
  body       linear  weight float[3,2], bias float[3]  9
  parts      vector                                    4
    parts.0  scaled  scale float[2], seen float[2]     2
    parts.1  scaled  scale float[2], seen float[2]     2
13 parameters, 4 of them trainable; 76 bytes with buffers
)");
}
