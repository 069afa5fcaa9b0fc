// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/optim/state.hpp>

#include <algorithm>
#include <cmath>

// A step length along a descent direction.

namespace gradus::inline GRADUS_ARCH::optim {

/// Of a function along a line: where, the value, the derivative along the line, and the gradient.
struct line_point {
    double t = 0, value = 0, slope = 0;
    any_tensor gradient;
};

/// The minimum, between `low` and `high`, of the cubic with the values and slopes of two points; the middle where it has none.
template <class Asked = void>
double cubic_minimum(line_point const& a, line_point const& b, double low, double high) {
    if (a.t > b.t) return cubic_minimum(b, a, low, high);
    double const d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t);
    double const square = d1 * d1 - a.slope * b.slope;
    if (!(square >= 0)) return (low + high) / 2;
    double const d2 = std::sqrt(square);
    double const at = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2));
    return std::min(std::max(at, low), high);
}

/// A step t with value(t) <= value(0) + decrease t slope(0) and |slope(t)| <= curvature |slope(0)|, the strong Wolfe conditions: an
/// interval that has one is found, then made smaller (J. Nocedal, S. Wright, "Numerical Optimization", 2006, algorithms 3.5 and 3.6, with
/// the safeguards of PyTorch's L-BFGS, which are those of M. Schmidt's minFunc).
template <class Evaluate>
class strong_wolfe_search {
public:
    static constexpr double decrease = 1e-4, curvature = 0.9, tolerance_change = 1e-9;
    static constexpr int max_evaluations = 25;

    /// evaluate(t) returns a line_point; `longest` is the largest element of the direction.
    strong_wolfe_search(Evaluate& evaluate, line_point start, double longest)
        : evaluate_(evaluate), start_(std::move(start)), longest_(longest) {}

    /// From the first guess on; the best point of the last interval where no step is found.
    line_point operator()(double first) {
        find_interval(first);
        low_ = is_single_ || ends_[0].value <= ends_[1].value ? 0 : 1;
        while (!done_ && searched_ < max_evaluations && std::abs(ends_[1].t - ends_[0].t) * longest_ >= tolerance_change) shrink(trial());
        return ends_[low_];
    }
    int evaluations() const { return evaluations_; }

private:
    line_point at(double t) { return ++evaluations_, evaluate_(t); }
    bool is_too_high(line_point const& p) const { return p.value > start_.value + decrease * p.t * start_.slope; }
    bool is_flat(line_point const& p) const { return std::abs(p.slope) <= -curvature * start_.slope; }

    void find_interval(double t) {
        line_point before = start_, next = at(t);
        for (; searched_ < max_evaluations; ++searched_) {
            bool const is_beyond = is_too_high(next) || (searched_ > 1 && next.value >= before.value);
            if (!is_beyond && is_flat(next)) {
                ends_[0] = std::move(next);
                is_single_ = done_ = true;
                return;
            }
            if (is_beyond || next.slope >= 0) return set_ends(std::move(before), std::move(next));
            double const further = cubic_minimum(before, next, next.t + 0.01 * (next.t - before.t), next.t * 10);
            before = std::move(next);
            next = at(further);
        }
        set_ends(start_, std::move(next));
    }
    void set_ends(line_point a, line_point b) { ends_[0] = std::move(a), ends_[1] = std::move(b); }

    /// Inside of the interval, and a tenth of it away from its ends where the last trial was near one, too.
    double trial() {
        double const least = std::min(ends_[0].t, ends_[1].t), most = std::max(ends_[0].t, ends_[1].t), margin = 0.1 * (most - least);
        double const t = cubic_minimum(ends_[0], ends_[1], least, most);
        bool const is_near = std::min(most - t, t - least) < margin, is_moved = is_near && (was_near_ || t >= most || t <= least);
        was_near_ = is_near && !is_moved;
        if (!is_moved) return t;
        return std::abs(t - most) < std::abs(t - least) ? most - margin : least + margin;
    }
    void shrink(double t) {
        line_point next = at(t);
        ++searched_;
        int const high = 1 - low_;
        if (is_too_high(next) || next.value >= ends_[low_].value) {
            ends_[high] = std::move(next);
            low_ = ends_[0].value <= ends_[1].value ? 0 : 1;
            return;
        }
        if (is_flat(next)) done_ = true;
        else if (next.slope * (ends_[high].t - ends_[low_].t) >= 0) ends_[high] = std::move(ends_[low_]);
        ends_[low_] = std::move(next);
    }

    Evaluate& evaluate_;
    line_point start_, ends_[2];
    double longest_;
    int evaluations_ = 0, searched_ = 0, low_ = 0;
    bool done_ = false, is_single_ = false, was_near_ = false;
};

}  // namespace gradus::inline GRADUS_ARCH::optim

#pragma GCC diagnostic pop
