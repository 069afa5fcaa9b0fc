// SPDX-License-Identifier: BSL-1.0
// A recurrent model with control flow of C++: reads binary numbers of any length and tells the remainder modulo 3.
//
// Each symbol that is read has a matrix of its own, which turns the state: h <- tanh(h W[symbol]). The loop runs until the
// end mark, so that every sequence records a tape of its own length, and which matrix is used depends on the data: no fixed
// graph describes this. The model learns from numbers below 256 and is asked about numbers up to 20 bits long.
#include <gradus.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>

namespace gr = gradus;

constexpr int state_size = 8, remainders = 3;

struct reader {
    gr::tensor<float, 2, state_size, state_size> w;  // one matrix for the digit 0, one for 1
    gr::tensor<float, 1, state_size> start;
    gr::tensor<float, state_size, remainders> out;

    explicit reader(gr::random& random) {
        w = gr::array<float, 2, state_size, state_size>::normal(random, 0.0f, 0.5f);
        start = gr::array<float, 1, state_size>::normal(random, 0.0f, 0.5f);
        out = gr::array<float, state_size, remainders>::normal(random, 0.0f, 0.5f);
        each([](auto const& p) { p.requires_grad_(); });
    }
    void each(auto f) const { f(w), f(start), f(out); }

    /// The scores of the three remainders for a text of 0s and 1s that ends with a full stop.
    gr::tensor<float, 1, remainders> operator()(char const* symbol) const {
        auto h = start;
        for (; *symbol != '.'; ++symbol) h = gr::tanh(gr::matmul(h, w[*symbol - '0']));
        return gr::matmul(h, out);
    }
};

/// Binary digits, the highest first, and the end mark.
static std::string written(std::uint32_t number) {
    std::string digits;
    for (; number; number /= 2) digits.insert(digits.begin(), static_cast<char>('0' + number % 2));
    return digits + '.';
}
/// A number of 0 to `bits` binary digits; all lengths are as likely.
static std::uint32_t drawn(gr::random& random, int bits) {
    return static_cast<std::uint32_t>(random.uniform() * std::ldexp(1.0, 1 + static_cast<int>(random.uniform() * bits)));
}

static double accuracy(reader const& model, gr::random& random, int bits, int count) {
    gr::no_grad guard;
    int right = 0;
    for (int i = 0; i < count; ++i) {
        std::uint32_t const number = drawn(random, bits);
        gr::tensor best = gr::argmax<1>(model(written(number).c_str()));
        right += best(0) == number % 3;
    }
    return static_cast<double>(right) / count;
}

int main() {
    gr::random random(3);
    reader const model(random);
    constexpr int bits = 8, batch = 16;
    std::printf("numbers seen   loss     right, up to %d bits   up to 20 bits\n", bits);
    double mean = 0;
    for (int i = 0; i <= 1500; ++i) {
        double sum = 0;
        for (int k = 0; k < batch; ++k) {
            std::uint32_t const number = drawn(random, bits);
            gr::tensor<std::int32_t, 1> label{static_cast<std::int32_t>(number % 3)};
            gr::tensor loss = gr::cross_entropy(model(written(number).c_str()), label);
            loss.backward();  // through as many steps as the number has digits
            sum += static_cast<double>(loss.item());
        }
        mean = i ? 0.95 * mean + 0.05 * sum / batch : sum / batch;
        gr::no_grad guard;
        model.each([](auto const& p) {
            p -= 0.3f / batch * p.grad();
            p.zero_grad();
        });
        if (i % 250 == 0)
            std::printf("%12d   %.4f   %18.1f %%   %11.1f %%\n", i * batch, mean, 100 * accuracy(model, random, bits, 500),
                        100 * accuracy(model, random, 20, 500));
    }
    double const near = accuracy(model, random, bits, 2000), far = accuracy(model, random, 20, 2000);
    bool const learned = near > 0.99 && far > 0.95;
    std::printf("remainders modulo 3: %.1f %% right up to %d bits, %.1f %% up to 20 bits: %s\n", 100 * near, bits, 100 * far,
                learned ? "learned" : "NOT learned");
    return learned ? 0 : 1;
}
