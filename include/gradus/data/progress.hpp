// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <string>
#include <utility>

#include <unistd.h>

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// Seconds as a person reads them: 4.2 s, 3:05, 1:02:09.
inline std::string time_text(double seconds) {
    char out[32];
    auto const whole = static_cast<long long>(std::min(seconds, 1e12) + 0.5);
    if (seconds < 10) std::snprintf(out, sizeof out, "%.1f s", seconds);
    else if (whole < 3600) std::snprintf(out, sizeof out, "%lld:%02lld", whole / 60, whole % 60);
    else std::snprintf(out, sizeof out, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
    return out;
}
/// `label: 25/100 [=====>              ] 12.5/s, 6.0 s left`: the rate is that of all until now.
inline std::string progress_line(std::string const& label, std::int64_t done, std::int64_t total, double seconds) {
    constexpr std::int64_t width = 20;
    std::string line = label.empty() ? "" : label + ": ";
    line += std::to_string(done) + '/' + std::to_string(total) + " [";
    std::int64_t const full = total > 0 ? static_cast<std::int64_t>(static_cast<double>(done) / static_cast<double>(total) * width) : width;
    line.append(static_cast<std::size_t>(full), '=');
    if (full < width) line.append(1, '>').append(static_cast<std::size_t>(width - full - 1), ' ');
    line += ']';
    if (done == 0 || seconds <= 0) return line;
    double const rate = static_cast<double>(done) / seconds;
    char number[32];
    std::snprintf(number, sizeof number, rate < 10 ? " %.2f/s, " : rate < 100 ? " %.1f/s, " : " %.0f/s, ", rate);
    return line + number + (done < total ? time_text(static_cast<double>(total - done) / rate) + " left" : "in " + time_text(seconds));
}

}  // namespace core

namespace data {

/// A range-for loop that shows how far it is, its rate, and the time that is left, on a terminal, ten times a second:
/// `for (auto& [x, y] : gr::data::progress(loader, "epoch 1"))`. The range tells its size(); the line ends when the loop does.
template <class Range>
class progress {
public:
    /// Elsewhere than on a terminal nothing is shown, unless `always`.
    explicit progress(Range& over, std::string label = {}, std::FILE* out = stderr, bool always = false)
        : over_(over), label_(std::move(label)), out_(out), shown_(always || ::isatty(::fileno(out))) {}
    progress(progress const&) = delete;
    progress& operator=(progress const&) = delete;
    ~progress() { end_line(); }

    class iterator {
    public:
        iterator(progress& of, decltype(std::declval<Range&>().begin()) at) : of_(of), at_(std::move(at)) {}
        decltype(auto) operator*() { return *at_; }
        iterator& operator++() {
            ++at_;
            of_.advance();
            return *this;
        }
        bool operator!=(std::default_sentinel_t) const { return at_ != of_.over_.end(); }

    private:
        progress& of_;
        decltype(std::declval<Range&>().begin()) at_;
    };
    iterator begin() {
        end_line();
        done_ = 0;
        total_ = static_cast<std::int64_t>(over_.size());
        begun_ = drawn_ = clock::now();
        return iterator(*this, over_.begin());
    }
    std::default_sentinel_t end() const { return {}; }

private:
    using clock = std::chrono::steady_clock;

    void advance() {
        ++done_;
        auto const now = clock::now();
        if (!shown_ || (done_ < total_ && now - drawn_ < std::chrono::milliseconds(100))) return;
        drawn_ = now;
        std::string const line = core::progress_line(label_, done_, total_, std::chrono::duration<double>(now - begun_).count());
        // what a longer line before left is overwritten
        std::fprintf(out_, "\r%-*s", static_cast<int>(std::max(line.size(), std::exchange(length_, line.size()))), line.c_str());
        std::fflush(out_);
        if (done_ == total_) end_line();
    }
    void end_line() {
        if (std::exchange(length_, 0) > 0) std::fputc('\n', out_);
    }
    Range& over_;
    std::string label_;
    std::FILE* out_;
    bool shown_;
    std::int64_t done_ = 0, total_ = 0;
    std::size_t length_ = 0;  // of the line that is there
    clock::time_point begun_, drawn_;
};

}  // namespace data
}  // namespace gradus::inline GRADUS_ARCH
