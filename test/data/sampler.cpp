// SPDX-License-Identifier: BSL-1.0
#include "../tensor/messages.hpp"

#include <gradus/data.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace gr = gradus;
using messages::contains;

namespace {

struct numbers {
    std::int64_t count;
    std::int64_t size() const { return count; }
    std::int64_t get(std::int64_t i) const { return i; }
};
struct short_sampler {
    std::int64_t size() const { return 9; }
    std::vector<std::int64_t> operator()(std::uint64_t) const { return {3, 1, 2}; }
};
std::string refused(auto call) { return messages::of<gr::error>(call); }

}  // namespace

TEST_CASE("random_sampler: permutations, all of them equally often") {
    std::map<std::vector<std::int64_t>, int> seen;
    gr::data::random_sampler const order(3, 1);
    for (std::uint64_t epoch = 0; epoch < 6000; ++epoch) ++seen[order(epoch)];
    CHECK(seen.size() == 6);
    for (auto const& [permutation, count] : seen) {
        CHECK(count > 1000 - 5 * 29);  // binomial, its standard deviation is sqrt(6000 / 6 * 5 / 6) = 29
        CHECK(count < 1000 + 5 * 29);
    }
    CHECK(order(7) == order(7));
    CHECK(gr::data::random_sampler(0, 1)(0).empty());
}

TEST_CASE("random_sampler: numbers below a bound that 2^64 is no multiple of are equally likely") {
    std::int64_t const n = 5270498306774157604;  // 2^64 is 3.5 of it: a remainder alone is below the half 4 times of 7
    gr::random source(3);
    int low = 0;
    for (int i = 0; i < 2000; ++i) low += gr::core::random_below(source, n) < n / 2;
    CHECK(std::abs(low - 1000) < 5 * 22);  // the standard deviation is sqrt(2000) / 2
}

TEST_CASE("weighted_random_sampler: draws by weight, never what weighs nothing") {
    gr::data::weighted_random_sampler const order({1, 0, 3}, 10000, 2);
    auto const drawn = order(0);
    CHECK(drawn.size() == 10000);
    auto const count = [&](std::int64_t i) { return std::count(drawn.begin(), drawn.end(), i); };
    CHECK(count(1) == 0);
    CHECK(std::abs(count(2) - 7500) < 5 * 44);  // sqrt(10000 / 4 * 3 / 4) = 43.3
    CHECK(order(0) != order(1));
    CHECK(order(3) == order(3));
}

TEST_CASE("weighted_random_sampler: without replacement, the first by weight, each once") {
    gr::data::weighted_random_sampler const order({1, 2, 0, 5}, 3, 2, false);
    std::map<std::int64_t, int> first;
    for (std::uint64_t epoch = 0; epoch < 8000; ++epoch) {
        auto const drawn = order(epoch);
        CHECK(std::set(drawn.begin(), drawn.end()) == std::set<std::int64_t>{0, 1, 3});
        ++first[drawn[0]];
    }
    CHECK(std::abs(first[0] - 1000) < 5 * 30);  // standard deviations of 29.6, 38.7 and 43.3
    CHECK(std::abs(first[1] - 2000) < 5 * 39);
    CHECK(std::abs(first[3] - 5000) < 5 * 44);
}

TEST_CASE("samplers: weights and counts that make no sense") {
    using weighted = gr::data::weighted_random_sampler;
    CHECK(refused([] { weighted({1, -1}, 1, 0); }) ==
          "gradus::data::weighted_random_sampler: weight 1 is -1: weights are not negative, their sum is finite");
    CHECK(contains(refused([] { weighted({std::nan("")}, 1, 0); }), "weight 0 is nan"));
    CHECK(contains(refused([] { weighted({1e308, 1e308}, 1, 0); }), "weight 1 is 1e308"));
    CHECK(contains(refused([] { weighted({0, 0}, 1, 0); }), "1 samples cannot be drawn where 0 weights are not 0"));
    CHECK(contains(refused([] { weighted({1, 0, 1}, 3, 0, false); }),
                   "3 samples cannot be drawn without replacement where 2 weights are not 0"));
    CHECK(contains(refused([] { weighted({1}, -1, 0); }), "a negative number of samples: -1"));
    CHECK(contains(refused([] { gr::data::random_sampler(-2, 0); }), "a negative number of samples: -2"));
    CHECK(weighted({}, 0, 0)(0).empty());
}

TEST_CASE("data_loader: draws what its sampler tells") {
    gr::data::data_loader loader(numbers{4}, {.batch_size = 3}, gr::data::weighted_random_sampler({0, 0, 1, 0}, 7, 0));
    CHECK(loader.size() == 3);
    std::int64_t seen = 0;
    for (auto& [i] : loader)
        for (std::int64_t const x : i) {
            CHECK(x == 2);
            ++seen;
        }
    CHECK(seen == 7);
    CHECK(contains(refused([] { gr::data::data_loader(numbers{4}, {.shuffle = true}, gr::data::sequential_sampler(4)); }),
                   "the sampler tells the order"));
    gr::data::data_loader shorter(numbers{4}, {.batch_size = 2}, short_sampler());  // draws fewer than it tells
    std::vector<std::int64_t> drawn;
    for (auto& [i] : shorter) drawn.insert(drawn.end(), i.begin(), i.end());
    CHECK(drawn == std::vector<std::int64_t>{3, 1, 2});
    gr::data::data_loader wrong(numbers{4}, {}, gr::data::sequential_sampler(5));
    CHECK(contains(refused([&] {
                       for (auto& [i] : wrong) CHECK(i(0) < 4);
                   }),
                   "there is no sample 4 among 4"));
    CHECK(wrong.epoch() == 1);
    gr::data::data_loader first(numbers{4}, {.batch_size = 5}, gr::data::sequential_sampler(5));
    CHECK(contains(refused([&] { first.begin(); }), "there is no sample 4 among 4"));
    CHECK(first.epoch() == 0);  // it did not begin
}

TEST_CASE("random_split: parts that are the whole and have nothing in common") {
    auto const [train, validate, test] = gr::data::random_split(numbers{103}, {0.7, 0.2, 0.1}, 3);
    CHECK(train.size() == 73);  // 72 and the one that rounding down leaves
    CHECK(validate.size() == 20);
    CHECK(test.size() == 10);
    std::set<std::int64_t> all(train.which().begin(), train.which().end());
    all.insert(validate.which().begin(), validate.which().end());
    all.insert(test.which().begin(), test.which().end());
    CHECK(all.size() == 103);
    CHECK(*all.begin() == 0);
    CHECK(*all.rbegin() == 102);
    CHECK(!std::is_sorted(train.which().begin(), train.which().end()));

    auto [few, many] = gr::data::random_split(numbers{10}, {3, 7}, 3);
    CHECK(few.size() == 3);
    gr::data::data_loader loader(many, {.batch_size = 7});
    for (auto& [i] : loader) CHECK(messages::elements(i) == many.which());
    std::int64_t const beyond[] = {3};
    gr::random source(0);
    CHECK(contains(refused([&] { few.get_batch(beyond, source); }), "there is no sample 3 among 3"));
    CHECK(contains(refused([] { gr::data::subset(numbers{10}, {10}); }), "there is no sample 10 among 10"));
    CHECK(gr::data::random_split(numbers{10}, {3, 7}, 3)[0].which() == few.which());
    CHECK(gr::data::random_split(numbers{10}, {3, 7}, 4)[0].which() != few.which());
    CHECK(refused([] { gr::data::random_split(numbers{10}, {3, 8}, 3); }) ==
          "gradus::data::random_split: the parts add up to 11, not to 10 samples");
    CHECK(contains(refused([] { gr::data::random_split(numbers{10}, {0.5, 0.4}, 3); }), "the parts add up to 0.9, not to 1"));
    CHECK(contains(refused([] { gr::data::random_split(numbers{10}, {1.5, -0.5}, 3); }), "a negative part: -0.5"));
}
