// SPDX-License-Identifier: BSL-1.0
#include "../tensor/messages.hpp"

// Attention and a transformer's block against loops over plain doubles.

namespace gr = gradus;
namespace nn = gr::nn;

namespace {

using matrix = std::vector<std::vector<double>>;

matrix projected(matrix const& x, auto const& weight, auto const& bias, std::int64_t first, std::int64_t count) {
    matrix y;
    for (auto const& row : x) {
        y.emplace_back();
        for (std::int64_t r = first; r < first + count; ++r) {
            double sum = bias.defined() ? bias(r) : 0;
            for (std::size_t k = 0; k < row.size(); ++k) sum += weight(r, static_cast<std::int64_t>(k)) * row[k];
            y.back().push_back(sum);
        }
    }
    return y;
}
/// Rows of queries attend to rows of keys; columns belong to `heads` heads.
matrix attended(matrix const& q, matrix const& k, matrix const& v, std::size_t heads, bool causal) {
    std::size_t const columns = q[0].size(), width = columns / heads;
    matrix y(q.size(), std::vector<double>(columns));
    for (std::size_t h = 0; h < heads; ++h)
        for (std::size_t i = 0; i < q.size(); ++i) {
            std::vector<double> weight;
            double sum = 0;
            for (std::size_t j = 0; j < k.size(); ++j) {
                double score = 0;
                for (std::size_t c = h * width; c < (h + 1) * width; ++c) score += q[i][c] * k[j][c];
                weight.push_back(causal && j > i ? 0 : std::exp(score / std::sqrt(static_cast<double>(width))));
                sum += weight.back();
            }
            for (std::size_t j = 0; j < k.size(); ++j)
                for (std::size_t c = h * width; c < (h + 1) * width; ++c) y[i][c] += weight[j] / sum * v[j][c];
        }
    return y;
}
matrix of(auto const& layer, matrix const& q, matrix const& k, matrix const& v, bool causal) {
    matrix const all =
        attended(projected(q, layer.in_proj_weight, layer.in_proj_bias, 0, 4), projected(k, layer.in_proj_weight, layer.in_proj_bias, 4, 4),
                 projected(v, layer.in_proj_weight, layer.in_proj_bias, 8, 4), 2, causal);
    return projected(all, layer.out_proj.weight, layer.out_proj.bias, 0, 4);
}
matrix batch_of(auto const& x, std::int64_t b, bool batch_first) {
    matrix rows;
    for (std::int64_t i = 0; i < x.size(batch_first ? 1 : 0); ++i) {
        rows.emplace_back();
        for (std::int64_t c = 0; c < 4; ++c) rows.back().push_back(batch_first ? x(b, i, c) : x(i, b, c));
    }
    return rows;
}
double difference(matrix const& a, matrix const& b) {
    double largest = 0;
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i)
        for (std::size_t c = 0; c < a[i].size(); ++c) largest = std::max(largest, std::abs(a[i][c] - b[i][c]));
    return largest;
}
// sums of doubles below 10, four to twelve terms, in three layers
constexpr double tolerance = 1e-13;
matrix normed(matrix x) {
    for (auto& row : x) {
        double mean = 0, square = 0;
        for (double v : row) mean += v / 4;
        for (double v : row) square += (v - mean) * (v - mean) / 4;
        for (double& v : row) v = (v - mean) / std::sqrt(square + 1e-5);
    }
    return x;
}
matrix sum(matrix a, matrix const& b) {
    for (std::size_t i = 0; i < a.size(); ++i)
        for (std::size_t c = 0; c < a[i].size(); ++c) a[i][c] += b[i][c];
    return a;
}
/// Gives biases, which begin with zeros, numbers that would be missed.
void shuffle(auto const& layer, gr::random& random) {
    for (auto const& [name, value] : layer.named_parameters())
        if (name.ends_with("in_proj_bias") || name.ends_with("out_proj.bias")) nn::init::normal_(value, random);
}

}  // namespace

TEST_CASE("multihead_attention: of x to itself, heads by the loop, batch first and last, causal") {
    gr::random random(1);
    auto const x = gr::randn<double, gr::dyn, 3, 4>(2, random);
    nn::multihead_attention<double, 4, 2, nn::attention_options{.batch_first = true}> const f(random);
    nn::multihead_attention<double, 4, 2, nn::attention_options{.causal = true}> const g(random);
    std::string names;
    for (auto const& [name, value] : f.named_parameters()) names += name + ' ';
    CHECK(names == "in_proj_weight in_proj_bias out_proj.weight out_proj.bias ");
    CHECK(f.in_proj_bias(3) == 0);
    CHECK(f.out_proj.bias(3) == 0);
    CHECK(f.out_proj.bias.requires_grad());
    for (double w : f.in_proj_weight) CHECK(std::abs(w) <= std::sqrt(6.0 / 16));
    shuffle(f, random);
    shuffle(g, random);
    gr::tensor y = f(x);
    gr::tensor z = g(x);  // 2 steps, 3 sequences
    static_assert(std::is_same_v<decltype(y), gr::tensor<double, gr::dyn, 3, 4>>);
    for (std::int64_t b = 0; b < 2; ++b) {
        matrix const rows = batch_of(x, b, true);
        CHECK(difference(batch_of(y, b, true), of(f, rows, rows, rows, false)) < tolerance);
    }
    for (std::int64_t b = 0; b < 3; ++b) {
        matrix const rows = batch_of(x, b, false);
        CHECK(difference(batch_of(z, b, false), of(g, rows, rows, rows, true)) < tolerance);
    }
}
TEST_CASE("multihead_attention: of a query to other keys; derivatives are the same on both ways; no bias") {
    gr::random random(2);
    nn::multihead_attention<double, 4, 2, nn::attention_options{.batch_first = true}> const f(random);
    shuffle(f, random);
    auto const draw = [&] { return gr::randn<double, gr::dyn, 3, 4>(1, random); };
    auto const q = draw(), k = draw(), v = draw();
    gr::tensor y = f(q, k, v);
    CHECK(difference(batch_of(y, 0, true), of(f, batch_of(q, 0, true), batch_of(k, 0, true), batch_of(v, 0, true), false)) < tolerance);

    k.requires_grad_();
    gr::tensor a = gr::sum(gr::square(f(k, k, k)));
    a.backward();
    std::vector<gr::any_tensor> apart;
    for (auto const& p : f.parameters()) apart.push_back(p.grad().clone());
    auto const by_k = k.grad().clone();
    f.zero_grad();
    k.zero_grad();
    gr::tensor b = gr::sum(gr::square(f(k)));
    b.backward();
    CHECK(gr::allclose(k.grad(), by_k, 1e-12, 1e-12));  // other orders of sums of doubles
    for (std::size_t i = 0; i < apart.size(); ++i)
        for (std::size_t j = 0; j < apart[i].values<double>().size(); ++j)
            CHECK(f.parameters()[i].grad().values<double>()[j] == doctest::Approx(apart[i].values<double>()[j]).epsilon(1e-12).scale(1));

    nn::multihead_attention<double, 4, 2, nn::attention_options{.bias = false}> const plain(random);
    CHECK(plain.parameters().size() == 2);
}
TEST_CASE("transformer_encoder_layer: norms last and first, by the loop; dropout drops weights while training") {
    gr::random random(3);
    auto const x = gr::randn<double, gr::dyn, 3, 4>(1, random);
    constexpr nn::encoder_options last{.dropout = 0.5, .causal = true, .batch_first = true};
    constexpr nn::encoder_options first{.dropout = 0, .norm_first = true, .batch_first = true};
    nn::transformer_encoder_layer<double, 4, 2, 5, last> const f(random);
    nn::transformer_encoder_layer<double, 4, 2, 5, first> const g(random);
    shuffle(f, random);
    shuffle(g, random);
    std::string names;
    for (auto const& [name, value] : f.named_parameters()) names += name + ' ';
    CHECK(names ==
          "self_attn.in_proj_weight self_attn.in_proj_bias self_attn.out_proj.weight self_attn.out_proj.bias linear1.weight linear1.bias "
          "linear2.weight linear2.bias norm1.weight norm1.bias norm2.weight norm2.bias ");
    auto const fed = [](auto const& layer, matrix const& in) {
        matrix hidden = projected(in, layer.linear1.weight, layer.linear1.bias, 0, 5);
        for (auto& row : hidden)
            for (double& v : row) v = std::max(v, 0.0);
        return projected(hidden, layer.linear2.weight, layer.linear2.bias, 0, 4);
    };
    matrix const rows = batch_of(x, 0, true);
    gr::tensor random_y = f(x);
    // the first position of a causal mask sees itself alone: in each head twice of its value, or nothing
    matrix const shown = projected(rows, f.self_attn.in_proj_weight, f.self_attn.in_proj_bias, 8, 4);
    int seen = 0;
    for (int i = 0; i < 64; ++i) {
        gr::tensor a = f.self_attn(x);
        for (int kept = 0; kept < 4; ++kept) {
            matrix one{{0, 0, 0, 0}};
            for (std::size_t c = 0; c < 4; ++c) one[0][c] = kept >> c / 2 & 1 ? 2 * shown[0][c] : 0;
            matrix const expected = projected(one, f.self_attn.out_proj.weight, f.self_attn.out_proj.bias, 0, 4);
            if (difference({batch_of(a, 0, true)[0]}, expected) < tolerance) seen += 1 << 8 * kept;
        }
    }
    int all = 0;
    for (int kept = 0; kept < 4; ++kept) {
        CHECK((seen >> 8 * kept & 255) > 0);  // 64 draws miss one of four with probability 4e-8
        all += seen >> 8 * kept & 255;
    }
    CHECK(all == 64);
    f.eval();
    gr::tensor y = f(x);
    CHECK(!gr::allclose(y, random_y));
    matrix middle = normed(sum(rows, of(f.self_attn, rows, rows, rows, true)));
    CHECK(difference(batch_of(y, 0, true), normed(sum(middle, fed(f, middle)))) < tolerance);

    x.requires_grad_();
    gr::tensor z = g(x);
    matrix const in = normed(rows);
    middle = sum(rows, of(g.self_attn, in, in, in, false));
    CHECK(difference(batch_of(z, 0, true), sum(middle, fed(g, normed(middle)))) < tolerance);
    gr::tensor loss = gr::sum(gr::square(z));
    loss.backward();
    gr::no_grad guard;
    for (std::int64_t i = 0; i < 12; ++i) {
        double& at = x.data()[i];
        double const kept = at, step = 1e-5;
        auto const loss_at = [&](double value) {
            at = value;
            return gr::tensor(gr::sum(gr::square(g(x)))).item();
        };
        double const slope = (loss_at(kept + step) - loss_at(kept - step)) / (2 * step);
        at = kept;
        CHECK(x.grad().data()[i] == doctest::Approx(slope).epsilon(1e-7).scale(1));  // step^2 times third derivatives below 1000
    }
}
