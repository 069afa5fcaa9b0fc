// SPDX-License-Identifier: BSL-1.0
#include <gradus/data/progress.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

namespace gr = gradus;
using gr::core::progress_line;

namespace {

/// What a loop over so many shows, left early if `until` says so.
std::string shown(std::vector<int>& over, std::size_t until, bool always) {
    char* text = nullptr;
    std::size_t size = 0;
    std::FILE* const out = ::open_memstream(&text, &size);
    {
        gr::data::progress bar(over, "epoch 1", out, always);
        std::size_t seen = 0;
        for (int const& x : bar) {
            CHECK(x == static_cast<int>(seen));
            if (++seen == until) break;
        }
        CHECK(seen == std::min(until, over.size()));
    }
    std::fclose(out);
    std::string const all(text, size);
    std::free(text);
    return all;
}

}  // namespace

TEST_CASE("progress: a line tells how far, how fast, how long") {
    CHECK(progress_line("epoch 1", 25, 100, 2) == "epoch 1: 25/100 [=====>              ] 12.5/s, 6.0 s left");
    CHECK(progress_line("", 0, 100, 0) == "0/100 [>                   ]");
    CHECK(progress_line("", 100, 100, 0.5) == "100/100 [====================] 200/s, in 0.5 s");
    CHECK(progress_line("", 1, 1000, 10) == "1/1000 [>                   ] 0.10/s, 2:46:30 left");
    CHECK(progress_line("", 1, 20, 10) == "1/20 [=>                  ] 0.10/s, 3:10 left");
    CHECK(progress_line("", 0, 0, 0) == "0/0 [====================]");
}

TEST_CASE("progress: the loop sees all elements; the last line says how long it took") {
    std::vector<int> over{0, 1, 2};
    std::string const all = shown(over, 99, true);
    CHECK(all.find("\repoch 1: 3/3 [====================] ") != std::string::npos);  // a slow machine shows others before
    CHECK(all.ends_with("\n"));
    CHECK(std::count(all.begin(), all.end(), '\n') == 1);
    CHECK(shown(over, 99, false).empty());  // no terminal
    CHECK(shown(over, 1, true).empty());    // left before a tenth of a second
    std::vector<int> none;
    CHECK(shown(none, 99, true).empty());
}
