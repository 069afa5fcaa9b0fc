// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

// Ways to do the same work, timed in turn, A B A B ..., so that a machine that changes speed changes it for all.
namespace timing {

inline double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct result {
    double first, second;  ///< seconds per call, medians
    double ratio;          ///< median of the ratios pair by pair
    double best;           ///< ratio of the minima
    double first_least, second_least;
};

/// Each sample repeats a call for about 200 us, so that the clock's grain does not matter.
template <class A, class B>
result compare(A a, B b, int rounds = 301) {
    auto repeats = [](auto& f) {
        f();
        double begin = seconds();
        int n = 0;
        do f(), ++n;
        while (seconds() - begin < 2e-4);
        return n;
    };
    auto sample = [](auto& f, int n) {
        double begin = seconds();
        for (int i = 0; i < n; ++i) f();
        return (seconds() - begin) / n;
    };
    int na = repeats(a), nb = repeats(b);
    std::vector<double> ta, tb, ratios;
    for (int r = 0; r < rounds; ++r) {
        ta.push_back(sample(a, na));
        tb.push_back(sample(b, nb));
        ratios.push_back(ta.back() / tb.back());
    }
    auto median = [](std::vector<double>& v) {
        std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
        return v[v.size() / 2];
    };
    double least_a = *std::min_element(ta.begin(), ta.end()), least_b = *std::min_element(tb.begin(), tb.end());
    return {median(ta), median(tb), median(ratios), least_a / least_b, least_a, least_b};
}

inline void print(char const* name, long n, result r) {
    std::printf("| %s | %ld | %.4g us | %.4g us | %.3f | %.3f |\n", name, n, r.first * 1e6, r.second * 1e6, r.ratio, r.best);
    std::fflush(stdout);
}

/// Makes the compiler believe that memory is read and written here.
inline void clobber() { asm volatile("" : : : "memory"); }

/// One way to do the work of a race: what it is, a call, and all it computed, to be compared.
struct contestant {
    std::string name;
    std::function<void(int)> repeat;  ///< so many calls
    std::function<std::vector<std::vector<double>>()> results;
};

/// `call` once a turn; `results` are numbers and containers of numbers that it wrote.
template <class Call, class... Results>
contestant enter(char const* name, Call call, Results const&... results) {
    auto repeat = [call](int n) {
        for (int i = 0; i < n; ++i) clobber(), call(), clobber();
    };
    return {name, repeat, [&results...] {
                std::vector<std::vector<double>> all;
                auto add = [&all](auto const& r) {
                    if constexpr (requires {
                                      r.size();
                                      r.data();
                                  })
                        all.emplace_back(r.data(), r.data() + r.size());
                    else all.push_back({static_cast<double>(r)});
                };
                (add(results), ...);
                return all;
            }};
}

/// All contestants in turn, ours first; `tolerance` is relative to the largest number of a result. Prints a line of CSV
/// each: workload, contestant, least and median nanoseconds, median of our time divided by its time turn by turn.
inline void race(char const* workload, std::vector<contestant> const& all, double tolerance, int rounds = 151) {
    std::vector<std::vector<double>> expected;
    for (contestant const& c : all) {
        c.repeat(1);
        std::vector<std::vector<double>> got = c.results();
        if (expected.empty()) expected = got;
        bool same = got.size() == expected.size();
        for (std::size_t k = 0; same && k < got.size(); ++k) {
            double largest = 0;
            for (double x : expected[k]) largest = std::max(largest, std::abs(x));
            same = got[k].size() == expected[k].size();
            for (std::size_t i = 0; same && i < got[k].size(); ++i) same = std::abs(got[k][i] - expected[k][i]) <= tolerance * largest;
        }
        if (same) continue;
        std::printf("%s: %s and %s differ\n", workload, c.name.c_str(), all[0].name.c_str());
        std::exit(1);
    }
    if (std::getenv("GRADUS_BENCH_ROUNDS")) rounds = std::atoi(std::getenv("GRADUS_BENCH_ROUNDS"));
    std::vector<int> calls;
    std::vector<std::vector<double>> times(all.size());
    for (contestant const& c : all) {
        int n = 1;
        for (double begin = seconds(); c.repeat(n), seconds() - begin < 2e-4; n *= 2) begin = seconds();
        calls.push_back(n);
    }
    for (int round = 0; round < rounds; ++round)
        for (std::size_t i = 0; i < all.size(); ++i) {
            double begin = seconds();
            all[i].repeat(calls[i]);
            times[i].push_back((seconds() - begin) / calls[i]);
        }
    auto median = [](std::vector<double> v) {
        std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
        return v[v.size() / 2];
    };
    for (std::size_t i = 0; i < all.size(); ++i) {
        std::vector<double> ratios;
        for (std::size_t r = 0; r < times[0].size(); ++r) ratios.push_back(times[0][r] / times[i][r]);
        std::printf("%s,%s,%.2f,%.2f,%.3f\n", workload, all[i].name.c_str(), 1e9 * *std::min_element(times[i].begin(), times[i].end()),
                    1e9 * median(times[i]), median(ratios));
    }
    std::fflush(stdout);
}

}  // namespace timing
