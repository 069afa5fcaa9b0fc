// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/expr/functions.hpp>
#include <gradus/optim/strong_wolfe.hpp>

// Not part of optim.hpp: programs that have a closure to minimize include it.

namespace gradus::inline GRADUS_ARCH::optim {

enum class line_search : std::uint8_t {
    none,         ///< steps of length lr
    strong_wolfe  ///< steps that satisfy the strong Wolfe conditions, lr being the first guess
};

/// Options of lbfgs, by name.
struct lbfgs_options {
    double lr = 1;
    int max_iter = 20;               ///< in one step()
    int max_eval = 0;                ///< calls of the closure in one step(), 5 / 4 max_iter where it is 0
    double tolerance_grad = 1e-7;    ///< ends where no element of the gradient is larger
    double tolerance_change = 1e-9;  ///< ends where no parameter, or the loss, changes by more
    int history_size = 100;
    line_search line_search_fn = line_search::none;

    void check() const {
        if (!(lr >= 0 && tolerance_grad >= 0 && tolerance_change >= 0))
            throw error("gradus::optim::lbfgs: lr, tolerance_grad and tolerance_change are not negative");
        if (max_iter < 1 || max_eval < 0 || history_size < 1)
            throw error("gradus::optim::lbfgs: max_iter and history_size are at least 1, max_eval is not negative");
    }
    int evaluations() const { return max_eval > 0 ? max_eval : max_iter * 5 / 4; }
    static void visit(auto& o, auto const& f) {
        f("lr", o.lr), f("max_iter", o.max_iter), f("max_eval", o.max_eval), f("tolerance_grad", o.tolerance_grad);
        f("tolerance_change", o.tolerance_change), f("history_size", o.history_size), f("line_search_fn", o.line_search_fn);
    }
};

/// What lbfgs remembers: of all parameters together, one after the other, in double. Its vectors are replaced, never written over, so
/// that a copy of the struct is what was.
struct lbfgs_state {
    std::int64_t func_evals = 0, n_iter = 0;
    double t = 0, h_diag = 1, prev_loss = 0;
    any_tensor d, prev_flat_grad;                          ///< the last direction and the gradient that it was made of
    std::vector<any_tensor> old_dirs = {}, old_stps = {};  ///< differences of gradients, and the steps that made them
    std::vector<double> ro = {};                           ///< 1 / (difference . step)

    static void visit(auto& s, auto const& f) {
        f("func_evals", s.func_evals), f("n_iter", s.n_iter), f("t", s.t), f("H_diag", s.h_diag), f("prev_loss", s.prev_loss);
        f("d", s.d), f("prev_flat_grad", s.prev_flat_grad);
    }
};

/// The vector operations of lbfgs, compiled programs.
struct lbfgs_step {
    static constexpr auto x = var<"x", double, "n">;
    static constexpr auto y = var<"y", double, "n">;
    static constexpr auto k = var<"k", double>;
    static constexpr auto dot = compile(sum(x * y));
    static constexpr auto add = compile(update(y, y + k * x));
    static constexpr auto scale = compile(update(y, k* y));
};

/// L-BFGS (D. Liu, J. Nocedal, 1989), as PyTorch's `torch.optim.LBFGS`: quasi-Newton steps d = -H g, H from the last `history_size`
/// differences of gradients by the two-loop recursion.
///
/// `gr::optim::lbfgs step(parameters, {.line_search_fn = gr::optim::line_search::strong_wolfe});` and then
/// `step.step([&] { step.zero_grad(); gr::tensor loss = f(); loss.backward(); return loss; })`, which iterates up to `max_iter` times and
/// returns the closure's first value. There is one group of parameters; those without a gradient have one of 0. All vectors are of
/// doubles. If the closure throws, parameters and state are what they were before the step.
class lbfgs {
public:
    lbfgs_options options;

    template <class Asked = void>
    explicit lbfgs(std::vector<any_tensor> parameters, lbfgs_options const& o = {}) : options(o), parameters_(std::move(parameters)) {
        options.check();
        if (parameters_.empty()) throw error("gradus::optim: optimizer got an empty parameter list");
        check_parameters(parameters_);
        for (any_tensor const& p : parameters_) size_ += p.size();
    }
    std::vector<any_tensor> const& parameters() const { return parameters_; }
    std::size_t groups() const { return 1; }
    lbfgs_options& options_of(std::size_t) { return options; }
    lbfgs_options const& options_of(std::size_t) const { return options; }
    lbfgs_state const& state() const { return state_; }
    void zero_grad(bool set_to_none = true) const { zero_gradients(parameters_, set_to_none); }

    /// Minimizes; the closure computes the loss and its gradients, from gradients that it has dropped, and returns the loss.
    template <class Closure>
    double step(Closure closure) {
        options.check();
        any_tensor const start = gathered([](any_tensor const& p) { return p; });
        lbfgs_state next = state_;
        double first = 0;
        try {
            first = iterate(closure, next);
        } catch (...) {
            move(start, start, 0);
            throw;
        }
        state_ = std::move(next);
        return first;
    }

    /// Options and what is remembered; the differences and steps as matrices, copies.
    template <class Asked = void>
    nn::tensor_dict state_dict() const {
        nn::tensor_dict made;
        if (state_.func_evals > 0) {
            entries_of(state_, path(), made);
            any_tensor const ro = fresh(static_cast<std::int64_t>(state_.ro.size()));
            std::copy(state_.ro.begin(), state_.ro.end(), ro.values<double>().begin());
            made.emplace_back(path() + "old_dirs", stacked(state_.old_dirs));
            made.emplace_back(path() + "old_stps", stacked(state_.old_stps));
            made.emplace_back(path() + "ro", ro);
        }
        entries_of(options, "param_groups.0.", made);
        return made;
    }
    /// Restores it exactly. Throws error with every mismatch, and has changed nothing then.
    template <class Asked = void>
    void load_state_dict(nn::tensor_dict const& dict) {
        lbfgs_options o = options;
        lbfgs_state next;
        fields to_read;
        to_read.expect(o, "param_groups.0.");
        std::int64_t rows = -1;
        for (auto const& [name, value] : dict)
            if (name == path() + "old_dirs" && value.defined() && value.rank() == 2) rows = value.size(0);
            else if (name.starts_with(path())) rows = std::max<std::int64_t>(rows, 0);
        any_tensor dirs, steps, ro;
        if (rows >= 0) {
            next.d = fresh(size_), next.prev_flat_grad = fresh(size_), ro = fresh(rows);
            dirs = empty<double, dyn, dyn>(rows, size_), steps = empty<double, dyn, dyn>(rows, size_);
            to_read.expect(next, path());
            to_read.into.insert(to_read.into.end(), {{path() + "old_dirs", dirs}, {path() + "old_stps", steps}, {path() + "ro", ro}});
        }
        nn::load_tensors(to_read.into, dict, true, "gradus::optim::lbfgs::load_state_dict(dict)");
        to_read.take();
        o.check();
        for (std::int64_t i = 0; i < rows; ++i) {
            next.old_dirs.push_back(dirs.select(0, i).clone()), next.old_stps.push_back(steps.select(0, i).clone());
            next.ro.push_back(ro.values<double>()[static_cast<std::size_t>(i)]);
        }
        state_ = std::move(next);
        options = o;
    }

private:
    using S = lbfgs_step;
    static std::string path() { return "state.0."; }
    static any_tensor fresh(std::int64_t n) { return empty<double, dyn>(n); }
    static double dot(any_tensor const& a, any_tensor const& b) { return S::dot(S::x = a.values<double>(), S::y = b.values<double>()); }
    static void add(any_tensor const& to, double k, any_tensor const& x) {
        S::add(S::y = to.values<double>(), S::k = k, S::x = x.values<double>());
    }
    static any_tensor scaled(any_tensor const& x, double k) {
        any_tensor const y = x.clone();
        S::scale(S::y = y.values<double>(), S::k = k);
        return y;
    }
    /// The largest element; NaN where there is one.
    static double largest(any_tensor const& x) {
        double most = 0;
        for (double v : x.values<double>()) most = std::abs(v) <= most ? most : std::abs(v);
        return most;
    }
    any_tensor stacked(std::vector<any_tensor> const& rows) const {
        any_tensor const all = empty<double, dyn, dyn>(static_cast<std::int64_t>(rows.size()), size_);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            auto const row = rows[i].values<double>();
            std::copy(row.begin(), row.end(), all.values<double>().begin() + static_cast<std::ptrdiff_t>(i * row.size()));
        }
        return all;
    }
    /// of(p) of all parameters as one vector, zeros where it is undefined.
    any_tensor gathered(auto const& of) const {
        any_tensor const all = fresh(size_);
        double* to = all.values<double>().data();
        for (any_tensor const& p : parameters_) {
            any_tensor const from = of(p);
            if (!from.defined()) to = std::fill_n(to, p.size(), 0.0);
            else
                core::with_floating_dtype(from.dtype(), [&]<class T>(T) {
                    for (T const& x : from.contiguous().template values<T>()) *to++ = static_cast<double>(x);
                });
        }
        return all;
    }
    /// p = start + t d.
    void move(any_tensor const& start, any_tensor const& d, double t) const {
        double const *from = start.values<double>().data(), *along = d.values<double>().data();
        for (any_tensor const& p : parameters_) {
            core::with_floating_dtype(p.dtype(), [&]<class T>(T) {
                for (T& x : p.values<T>()) x = static_cast<T>(t == 0 ? *from : *from + t * *along), ++from, ++along;
            });
            increment_version(p);
        }
    }
    /// The loss and its gradient where the parameters are.
    template <class Closure>
    line_point evaluated(Closure& closure) const {
        enable_grad guard;
        line_point made;
        auto const loss = closure();
        if constexpr (requires { loss.item(); }) made.value = static_cast<double>(loss.item());
        else made.value = static_cast<double>(loss);
        made.gradient = gathered([](any_tensor const& p) { return p.grad().defined() ? p.grad().detach() : any_tensor(); });
        return made;
    }
    /// Takes the last step into the history and returns -H g.
    any_tensor direction(lbfgs_state& s, any_tensor const& gradient) const {
        if (s.n_iter == 1) return scaled(gradient, -1);
        any_tensor const y = gradient.clone(), step = scaled(s.d, s.t);
        add(y, -1, s.prev_flat_grad);
        if (double const ys = dot(y, step); ys > 1e-10) {
            while (static_cast<int>(s.ro.size()) >= options.history_size) {
                s.old_dirs.erase(s.old_dirs.begin()), s.old_stps.erase(s.old_stps.begin());
                s.ro.erase(s.ro.begin());
            }
            s.old_dirs.push_back(y), s.old_stps.push_back(step), s.ro.push_back(1 / ys);
            s.h_diag = ys / dot(y, y);
        }
        std::vector<double> share(s.ro.size());
        any_tensor const q = scaled(gradient, -1);
        for (std::size_t i = s.ro.size(); i-- > 0;) {
            share[i] = dot(s.old_stps[i], q) * s.ro[i];
            add(q, -share[i], s.old_dirs[i]);
        }
        S::scale(S::y = q.values<double>(), S::k = s.h_diag);
        for (std::size_t i = 0; i < s.ro.size(); ++i) add(q, share[i] - dot(s.old_dirs[i], q) * s.ro[i], s.old_stps[i]);
        return q;
    }
    template <class Closure>
    double iterate(Closure& closure, lbfgs_state& s) const {
        line_point now = evaluated(closure);
        double const first = now.value;
        int evaluations = 1;
        if (s.func_evals == 0) s.d = s.prev_flat_grad = zeros<double, dyn>(size_);
        for (int n = 1; n <= options.max_iter && !(largest(now.gradient) <= options.tolerance_grad); ++n) {
            ++s.n_iter;
            s.d = direction(s, now.gradient);
            s.prev_flat_grad = now.gradient;
            s.prev_loss = now.value;
            s.t = options.lr;
            if (s.n_iter == 1) {
                double sum = 0;
                for (double x : now.gradient.values<double>()) sum += std::abs(x);
                s.t *= std::min(1.0, 1 / sum);
            }
            now.slope = dot(now.gradient, s.d);
            if (now.slope > -options.tolerance_change) break;
            evaluations += moved(closure, s, now, n == options.max_iter);
            if (evaluations >= options.evaluations() || largest(s.d) * s.t <= options.tolerance_change ||
                std::abs(now.value - s.prev_loss) < options.tolerance_change)
                break;
        }
        s.func_evals += evaluations;
        return first;
    }
    /// Goes along s.d; returns how often the closure was called. Without a search the last point is not evaluated.
    template <class Closure>
    int moved(Closure& closure, lbfgs_state& s, line_point& now, bool is_last) const {
        any_tensor const start = gathered([](any_tensor const& p) { return p; });
        auto evaluate = [&](double t) {
            move(start, s.d, t);
            line_point made = evaluated(closure);
            made.t = t;
            made.slope = dot(made.gradient, s.d);
            return made;
        };
        switch (options.line_search_fn) {
            case line_search::strong_wolfe: {
                strong_wolfe_search search(evaluate, now, largest(s.d));
                now = search(s.t);
                s.t = now.t;
                now.t = 0;
                move(start, s.d, s.t);
                return search.evaluations();
            }
            case line_search::none: break;
        }
        if (is_last) return move(start, s.d, s.t), 0;
        now = evaluate(s.t);
        now.t = 0;
        return 1;
    }

    std::vector<any_tensor> parameters_;
    std::int64_t size_ = 0;
    lbfgs_state state_;
};

}  // namespace gradus::inline GRADUS_ARCH::optim

#pragma GCC diagnostic pop
