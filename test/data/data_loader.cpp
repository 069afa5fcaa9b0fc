// SPDX-License-Identifier: BSL-1.0
#include "../tensor/messages.hpp"

#include <gradus/data.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <ranges>
#include <set>
#include <thread>

namespace gr = gradus;
using messages::contains;
using messages::elements;

namespace {

/// Sample i is {i, i + 0.5}, its label 10 i.
auto samples(std::int64_t count) {
    gr::tensor<float, gr::dyn, 2> x = gr::empty<float, gr::dyn, 2>(count);
    gr::tensor<std::int64_t, gr::dyn> y = gr::empty<std::int64_t, gr::dyn>(count);
    for (std::int64_t i = 0; i < count; ++i) {
        x.data()[2 * i] = static_cast<float>(i);
        x.data()[2 * i + 1] = static_cast<float>(i) + 0.5f;
        y.data()[i] = 10 * i;
    }
    return gr::data::tensor_dataset(x, y);
}
/// The labels of an epoch, a list per batch. Samples are with their labels.
std::vector<std::vector<std::int64_t>> epoch_of(auto& loader) {
    std::vector<std::vector<std::int64_t>> all;
    for (auto [x, y] : loader) {
        all.push_back(elements(y));
        for (std::int64_t i = 0; i < y.size(); ++i) CHECK(x(i, 1) == static_cast<float>(y(i)) / 10 + 0.5f);
    }
    return all;
}
std::vector<std::int64_t> joined(std::vector<std::vector<std::int64_t>> const& lists) {
    std::vector<std::int64_t> all;
    for (auto const& list : lists) all.insert(all.end(), list.begin(), list.end());
    return all;
}

struct squares {
    std::int64_t size() const { return 5; }
    std::tuple<gr::tensor<float, 2>, double, std::string> get(std::int64_t i) const {
        return {gr::tensor<float, 2>{static_cast<float>(i), 1}, static_cast<double>(i * i), std::to_string(i)};
    }
};
struct ragged {
    std::int64_t size() const { return 2; }
    gr::array<float, gr::dyn> get(std::int64_t i) const { return gr::array<float, gr::dyn>(i + 1); }
};
struct counted {
    std::shared_ptr<std::atomic<int>> made = std::make_shared<std::atomic<int>>(0);
    std::int64_t size() const { return 1000; }
    float get(std::int64_t) const { return static_cast<float>(++*made); }
};
struct failing {
    std::int64_t size() const { return 8; }
    float get(std::int64_t i) const {
        if (i == 5) throw std::runtime_error("sample 5");
        return static_cast<float>(i);
    }
};

}  // namespace

TEST_CASE("data_loader: batches in order, the last one short or dropped") {
    gr::data::data_loader loader(samples(7), {.batch_size = 3});
    CHECK(loader.size() == 3);
    CHECK(epoch_of(loader) == std::vector<std::vector<std::int64_t>>{{0, 10, 20}, {30, 40, 50}, {60}});
    gr::data::data_loader whole(samples(7), {.batch_size = 3, .drop_last = true});
    CHECK(whole.size() == 2);
    CHECK(epoch_of(whole) == std::vector<std::vector<std::int64_t>>{{0, 10, 20}, {30, 40, 50}});
    gr::data::data_loader none(samples(0), {.batch_size = 3});
    CHECK(none.size() == 0);
    CHECK(epoch_of(none).empty());
    gr::data::data_loader one(samples(2), {});
    CHECK(epoch_of(one) == std::vector<std::vector<std::int64_t>>{{0}, {10}});
}

TEST_CASE("data_loader: a batch has the types of the tensors, its first extent is run time's, and is a static one where asked for") {
    gr::data::data_loader loader(samples(6), {.batch_size = 3});
    for (auto [x, y] : loader) {
        static_assert(std::is_same_v<decltype(x), gr::tensor<float, gr::dyn, 2>>);
        static_assert(std::is_same_v<decltype(y), gr::tensor<std::int64_t, gr::dyn>>);
        gr::tensor<float, 3, 2> fixed = x;  // no copy
        CHECK(fixed.data() == x.data());
        CHECK(!x.requires_grad());
    }
    static_assert(std::ranges::input_range<decltype(loader)>);
}

TEST_CASE("data_loader: batches bind to symbols with a named extent, and go into statements of the tape") {
    static constexpr auto x = gr::var<"x", float, "batch", 2>;
    static constexpr auto total = gr::compile(gr::sum<0>(x));  // of each column
    gr::data::data_loader loader(samples(5), {.batch_size = 2});
    auto const w = gr::tensor<float, 2>{1, 1}.requires_grad_();
    std::vector<float> sums;
    for (auto& [batch, labels] : loader) {
        auto const [s] = total(x = batch);
        sums.push_back(s(0));
        gr::tensor loss = gr::sum(batch * w);
        loss.backward();
    }
    CHECK(sums == std::vector<float>{1, 5, 4});
    CHECK(elements(w.grad()) == std::vector<float>{10, 12.5});
}

TEST_CASE("data_loader: shuffles by seed and epoch, with prefetching as without") {
    for (int const prefetch : {0, 1, 3}) {
        CAPTURE(prefetch);
        gr::data::data_loader loader(samples(50), {.batch_size = 8, .shuffle = true, .seed = 4, .prefetch = prefetch});
        auto const first = epoch_of(loader), second = epoch_of(loader);
        CHECK(loader.epoch() == 2);
        CHECK(first != second);
        auto all = joined(first);
        CHECK(all.size() == 50);
        CHECK(!std::is_sorted(all.begin(), all.end()));
        CHECK(std::set(all.begin(), all.end()).size() == 50);
        loader.set_epoch(0);
        CHECK(epoch_of(loader) == first);
        gr::data::data_loader same(samples(50), {.batch_size = 8, .shuffle = true, .seed = 4});
        CHECK(epoch_of(same) == first);
        gr::data::data_loader other(samples(50), {.batch_size = 8, .shuffle = true, .seed = 5});
        CHECK(epoch_of(other) != first);
    }
}

TEST_CASE("data_loader: a loop may be left early, with a thread at work") {
    gr::data::data_loader loader(samples(1000), {.batch_size = 1, .prefetch = 4});
    for (int i = 0; i < 20; ++i)
        for (auto& [x, y] : loader) {
            CHECK(y(0) == 0);
            break;
        }
    CHECK(loader.epoch() == 20);
}

TEST_CASE("data_loader: no more batches are made ahead than asked for") {
    counted const samples_made;
    gr::data::data_loader loader(samples_made, {.prefetch = 2});
    auto const first = loader.begin();
    while (*samples_made.made < 4) std::this_thread::yield();  // one is here, two wait, and one waits for its place
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    CHECK(*samples_made.made == 4);
}

TEST_CASE("data_loader: batches are not recorded, whatever a transform computes with") {
    auto const w = gr::tensor<float, 2>{1, 2}.requires_grad_();
    for (int const prefetch : {0, 1}) {
        gr::data::data_loader loader(gr::data::transformed(samples(2), [w](auto x, auto) { return gr::tensor(x * w); }),
                                     {.prefetch = prefetch});
        for (gr::tensor<float, gr::dyn, 2>& x : loader) CHECK(!x.requires_grad());
    }
    CHECK(gr::is_grad_enabled());
}

TEST_CASE("data_loader: an exception of a dataset comes out where its batch would have") {
    for (int const prefetch : {0, 2}) {
        gr::data::data_loader loader(failing(), {.batch_size = 2, .prefetch = prefetch});
        int seen = 0;
        CHECK(messages::of<std::runtime_error>([&] {
                  for (auto& [x] : loader) seen += static_cast<int>(x.size());
              }) == "sample 5");
        CHECK(seen == 4);
    }
}

TEST_CASE("data_loader: samples of a dataset by `get` are stacked: tensors, numbers, others") {
    gr::data::data_loader loader(squares(), {.batch_size = 3, .prefetch = 1});
    std::vector<std::string> names;
    for (auto& [x, square, name] : loader) {
        static_assert(std::is_same_v<decltype(x), gr::tensor<float, gr::dyn, 2>>);
        static_assert(std::is_same_v<decltype(square), gr::tensor<double, gr::dyn>>);
        for (std::int64_t i = 0; i < x.size(0); ++i) CHECK(x(i, 0) * x(i, 0) == static_cast<float>(square(i)));
        names.insert(names.end(), name.begin(), name.end());
    }
    CHECK(names == std::vector<std::string>{"0", "1", "2", "3", "4"});
    gr::data::data_loader lengths(ragged(), {.batch_size = 2});
    CHECK(contains(messages::of<gr::shape_error>([&] { lengths.begin(); }),
                   "samples of one batch differ: the first is float[1], number 1 is float[2]"));
}

TEST_CASE("transformed: a function of batches, with random numbers by seed, epoch and batch") {
    auto const noise = [](auto x, auto y, gr::random& random) {
        return std::tuple(gr::tensor(x * 0.0f + static_cast<float>(random.uniform())), y);
    };
    std::vector<std::vector<float>> runs;
    for (int const prefetch : {0, 2}) {
        gr::data::data_loader loader(gr::data::transformed(samples(4), noise), {.batch_size = 2, .seed = 9, .prefetch = prefetch});
        auto& drawn = runs.emplace_back();
        for (int epoch = 0; epoch < 2; ++epoch)
            for (auto& [x, y] : loader) drawn.push_back(x(0, 0));
    }
    CHECK(runs[0] == runs[1]);
    CHECK(std::set(runs[0].begin(), runs[0].end()).size() == 4);
    gr::data::data_loader halves(gr::data::transformed(samples(4), [](auto x, auto) { return gr::tensor(x * 0.5f); }), {.batch_size = 4});
    for (gr::tensor<float, gr::dyn, 2>& x : halves) CHECK(x(3, 0) == 1.5f);
}

TEST_CASE("tensor_dataset, data_loader: sizes that make no sense") {
    gr::tensor<float, 3, 2> const x{{1, 2}, {3, 4}, {5, 6}};
    gr::tensor<float, gr::dyn> const y{1, 2};
    CHECK(messages::of<gr::shape_error>([&] { gr::data::tensor_dataset(x, y); }) ==
          "gradus::data::tensor_dataset: 2 samples in float[2], 3 in the first tensor");
    CHECK(contains(messages::of<gr::error>([&] { gr::data::data_loader(samples(3), {.batch_size = 0}); }), "batches of 0 samples"));
    CHECK(contains(messages::of<gr::error>([&] { gr::data::data_loader(samples(3), {.prefetch = -1}); }), "-1 batches ahead"));
    std::int64_t const wrong[] = {3};
    CHECK(contains(messages::of<gr::error>([&] { samples(3).get_batch(wrong); }), "there is no sample 3 among 3"));
    gr::data::tensor_dataset const views(x.t());  // rows of a view
    std::int64_t const second[] = {1};
    CHECK(elements(std::get<0>(views.get_batch(second))) == std::vector<float>{2, 4, 6});
}
