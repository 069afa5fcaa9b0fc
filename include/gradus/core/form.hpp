// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/shape.hpp>

#include <numeric>

namespace gradus::inline GRADUS_ARCH::core {

/// What arithmetic on extents makes: floor(p / divisor), p a polynomial of named dimensions with whole coefficients, in a normal form.
/// Equal forms are equal extents.
class form {
public:
    static constexpr int most_terms = 8, most_factors = 4;
    bool exists = true;  ///< false where arithmetic left what a form can be

    constexpr form() = default;
    constexpr form(extent e) {  // NOLINT: an extent is a form
        if (e.is_static()) add({e.code, extent{}});
        else if (e.is_form()) {
            char letters[20]{};
            *this = parse({letters, static_cast<std::size_t>(e.unpack(letters))});
        } else add({1, e});
    }
    /// "n - 2", "2 * n", "n * (n + 1) / 2": names, numbers, + - * / and parentheses.
    static constexpr form parse(std::string_view s) {
        form const f = sum(s);
        return s.empty() ? f : none();
    }
    /// The number that it is where no name is left, plus a known bit.
    constexpr bool is_number() const { return exists && (count_ == 0 || (count_ == 1 && terms_[0].degree() == 0)); }
    constexpr std::int64_t number() const { return count_ ? terms_[0].c : 0; }

    friend constexpr form operator+(form a, form const& b) {
        if (b.divisor_ != 1 && a.divisor_ != 1) return none();
        if (b.divisor_ != 1) return b + a;
        for (int i = 0; i < b.count_; ++i) a.add({b.terms_[i].c * a.divisor_, b.terms_[i]});
        return a.normal(b);
    }
    friend constexpr form operator*(form const& a, form const& b) {
        if (a.divisor_ != 1 || b.divisor_ != 1) return none();
        form product;
        for (int i = 0; i < a.count_; ++i)
            for (int j = 0; j < b.count_; ++j) {
                term t = a.terms_[i];
                t.c *= b.terms_[j].c;
                for (extent const& e : b.terms_[j].names)
                    if (!t.times(e)) return none();
                product.add(t);
            }
        return product.normal(a).normal(b);
    }
    friend constexpr form operator-(form const& a, form const& b) { return b.divisor_ == 1 ? a + b * form(-1, 0) : none(); }
    friend constexpr form operator/(form a, form const& b) {
        if (!b.is_number() || b.number() <= 0) return none();
        a.divisor_ *= b.number();
        return a.normal(b);
    }
    static constexpr form of_number(std::int64_t n) { return {n, 0}; }
    /// What no extent is.
    static constexpr form none() {
        form f;
        f.exists = false;
        return f;
    }

    /// The extent; `dyn` where there is none, or its text has more than 20 characters.
    constexpr extent to_extent() const {
        if (!exists || (is_number() && number() < 0)) return dyn;
        if (is_number()) return extent(number());
        if (count_ == 1 && divisor_ == 1 && terms_[0].c == 1 && terms_[0].degree() == 1) return terms_[0].names[0];
        gradus::text out;
        if (divisor_ != 1 && count_ > 1) out += '(';
        for (int i = 0; i < count_; ++i) print(out, terms_[i], i == 0);
        if (divisor_ != 1) {
            out += count_ > 1 ? ")/" : "/";
            append_number(out, divisor_);
        }
        return out.size() > 20 ? dyn : extent::packed(out.view(), true);
    }
    /// Its value, where size(name) is that of a name.
    constexpr std::int64_t at(auto const& size) const {
        std::int64_t total = 0;
        for (int i = 0; i < count_; ++i) {
            std::int64_t product = terms_[i].c;
            bool overflows = false;
            for (int k = 0; k < terms_[i].degree(); ++k)
                overflows = __builtin_mul_overflow(product, size(terms_[i].names[k]), &product) || overflows;
            if (overflows || __builtin_add_overflow(total, product, &total)) return INT64_MAX;
        }
        return floored(total, divisor_);
    }
    /// Calls f(name) for each name, some more than once.
    constexpr void each_name(auto const& f) const {
        for (int i = 0; i < count_; ++i)
            for (int k = 0; k < terms_[i].degree(); ++k) f(terms_[i].names[k]);
    }

private:
    struct term {
        std::int64_t c = 0;
        extent names[most_factors]{};  ///< in order, then 0
        constexpr term() = default;
        constexpr term(std::int64_t factor, extent name) : c(factor) { names[0] = name; }
        constexpr term(std::int64_t factor, term of) : term(of) { c = factor; }
        constexpr int degree() const {
            int d = 0;
            while (d < most_factors && !(names[d] == extent{})) ++d;
            return d;
        }
        static constexpr bool before(extent a, extent b) { return a.code == b.code ? a.more < b.more : a.code > b.code; }
        constexpr bool times(extent e) {
            if (e == extent{}) return true;
            int at = degree();
            if (at == most_factors) return false;
            for (; at > 0 && before(e, names[at - 1]); --at) names[at] = names[at - 1];
            names[at] = e;
            return true;
        }
        /// Below 0 where this comes first: more factors, then names in order.
        constexpr int compare(term const& b) const {
            if (degree() != b.degree()) return b.degree() - degree();
            for (int k = 0; k < degree(); ++k)
                if (!(names[k] == b.names[k])) return before(names[k], b.names[k]) ? -1 : 1;
            return 0;
        }
    };
    constexpr form(std::int64_t n, int) { add({n, extent{}}); }
    static constexpr std::int64_t floored(std::int64_t a, std::int64_t b) { return a / b - (a % b != 0 && a < 0); }
    constexpr void add(term const& t) {
        int at = 0;
        while (at < count_ && terms_[at].compare(t) < 0) ++at;
        if (at < count_ && terms_[at].compare(t) == 0) {
            terms_[at].c += t.c;
            if (terms_[at].c != 0) return;
            for (--count_; at < count_; ++at) terms_[at] = terms_[at + 1];
            return;
        }
        if (t.c == 0) return;
        if (count_ == most_terms) return void(exists = false);
        for (int k = count_++; k > at; --k) terms_[k] = terms_[k - 1];
        terms_[at] = t;
    }
    /// In the form that equal ones share: coefficients and divisor have no factor in common.
    constexpr form normal(form const& other) {
        exists = exists && other.exists;
        std::int64_t common = divisor_;
        for (int i = 0; i < count_; ++i)
            if (terms_[i].degree()) common = std::gcd(common, terms_[i].c);
        for (int i = 0; i < count_; ++i) terms_[i].c = floored(terms_[i].c, common);  // only a number is not a multiple
        divisor_ /= common;
        if (count_ && terms_[count_ - 1].c == 0) --count_;
        return *this;
    }
    static constexpr void print(gradus::text& out, term const& t, bool first) {
        if (t.c < 0) out += '-';
        else if (!first) out += '+';
        std::int64_t const size = t.c < 0 ? -t.c : t.c;
        if (size != 1 || t.degree() == 0) append_number(out, size);
        for (int k = 0; k < t.degree(); ++k) {
            if (k || size != 1) out += '*';
            append(out, t.names[k]);
        }
    }

    // ---- reading: each takes what it reads away from the front of `s`

    static constexpr bool takes(std::string_view& s, char c) {
        while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
        if (s.empty() || s.front() != c) return false;
        s.remove_prefix(1);
        while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
        return true;
    }
    static constexpr form sum(std::string_view& s) {
        form f = takes(s, '-') ? of_number(-1) * product(s) : product(s);
        while (f.exists) {
            if (takes(s, '+')) f = f + product(s);
            else if (takes(s, '-')) f = f - product(s);
            else break;
        }
        return f;
    }
    static constexpr form product(std::string_view& s) {
        form f = factor(s);
        while (f.exists) {
            if (takes(s, '*')) f = f * factor(s);
            else if (takes(s, '/')) f = f / factor(s);
            else break;
        }
        return f;
    }
    static constexpr form factor(std::string_view& s) {
        if (takes(s, '(')) {
            form const f = sum(s);
            return takes(s, ')') ? f : none();
        }
        std::size_t size = 0;
        std::int64_t number = 0;
        bool digits = true;
        for (; size < s.size() && extent::is_letter(s[size]); ++size) {
            digits = digits && s[size] >= '0' && s[size] <= '9' && size < 18;
            if (digits) number = 10 * number + (s[size] - '0');
        }
        std::string_view const word = s.substr(0, size);
        s.remove_prefix(size);
        return size == 0 || size > 20 ? none() : digits ? of_number(number) : form(extent::packed(word, false));
    }

    term terms_[most_terms + 1]{};
    int count_ = 0;
    std::int64_t divisor_ = 1;
};

}  // namespace gradus::inline GRADUS_ARCH::core

namespace gradus::inline GRADUS_ARCH {

/// Extents of both shapes go first: a product of quotients is no form.
constexpr bool core::same_product(shape const& a, shape b) {
    form products[2]{form::of_number(1), form::of_number(1)};
    auto multiply = [](form& product, extent e) { product = e.is_expressible() ? product * form(e) : form::none(); };
    for (int i = 0; i < a.rank(); ++i) {
        int k = 0;
        while (k < b.rank() && !(b[k] == a[i])) ++k;
        if (k == b.rank()) multiply(products[0], a[i]);
        else b[k] = 1;
    }
    for (int k = 0; k < b.rank(); ++k) multiply(products[1], b[k]);
    form const difference = products[0] - products[1];
    return difference.is_number() && difference.number() == 0;
}
constexpr extent extent::combined(extent a, char how, extent b) {
    if (!a.is_expressible() || !b.is_expressible()) return dyn;
    core::form const x(a), y(b);
    return (how == '+' ? x + y : how == '-' ? x - y : how == '*' ? x * y : x / y).to_extent();
}
constexpr extent extent::parsed(std::string_view text) {
    extent const e = core::form::parse(text).to_extent();
    if (e == dyn) core::refuse<"gradus: an extent is a number, a name or arithmetic on names, of 20 letters", std::invalid_argument>();
    return e;
}

}  // namespace gradus::inline GRADUS_ARCH
