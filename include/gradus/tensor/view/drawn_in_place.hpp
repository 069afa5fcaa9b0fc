// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/program/random.hpp>
#include <gradus/tensor/view/indexed_write.hpp>

#include <cmath>

// Random numbers written over the elements of a tensor, in the order of its axes. The derivative by what they replace is 0.

namespace gradus::inline GRADUS_ARCH {

/// The generator that the calling thread draws from where none is given.
inline random& default_random() {
    static thread_local random generator(0);
    return generator;
}
namespace core {

/// Uniform in [0, 1), of as many bits as the type has: a double that is rounded may be 1.
template <class T>
double below_one(random& source) {
    constexpr int bits = std::is_same_v<T, double> ? 53 : is_half(dtype_of<T>) ? 8 : 24;
    return static_cast<double>(source.next() >> (64 - bits)) / static_cast<double>(std::int64_t{1} << bits);
}
inline std::int64_t whole_below(random& source, std::int64_t count) {
    auto const n = static_cast<std::uint64_t>(count);
    std::uint64_t const unfair = (0 - n) % n;  // 2^64 modulo n: the first values, which would be drawn once too often
    for (;;)
        if (std::uint64_t const x = source.next(); x >= unfair) return static_cast<std::int64_t>(x % n);
}
/// Each element is draw(T{}), T being its type.
void draw_elements(tensor_ref const& t, auto const& draw) {
    with_dtype(t->type, [&]<class T>(T) {
        T* const data = reinterpret_cast<T*>(t->data);
        for (std::int64_t i = 0; i < t->size(); ++i) data[i] = static_cast<T>(static_cast<computed_t<dtype_of<T>>>(draw(T{})));
    });
}
void draw_in_place(tensor_ref const& t, std::source_location where, auto const& draw) {
    write_through(t, where, [&] {
        require_writable(t);
        tensor_ref const made = make_state(t->type, t->rank, t->extents);
        draw_elements(made, draw);
        history_of_write history(t, {}, 0);
        copy_elements(t->type, made->data, view_place(*made), t->data, view_place(*t));
        history.take_effect();
    });
}

template <class Tensor>
struct drawn_in_place {
    using location = std::source_location;

    /// Uniform in [low, high).
    Tensor const& uniform_(double low = 0, double high = 1, random& source = default_random(), location where = location::current()) const {
        if (!(low <= high)) throw error(concat("gradus::uniform_(low, high): there is no number from ", low, " to below ", high).str());
        return drawn("uniform_", true, where, [&]<class T>(T) { return low + (high - low) * below_one<T>(source); });
    }
    /// Normal, with that mean and standard deviation.
    Tensor const& normal_(double mean = 0, double deviation = 1, random& source = default_random(),
                          location where = location::current()) const {
        if (!(deviation >= 0)) throw error(concat("gradus::normal_(mean, deviation): a deviation of ", deviation).str());
        return drawn("normal_", true, where, [&](auto) { return mean + deviation * source.normal(); });
    }
    /// Exponential, of mean 1 / rate.
    Tensor const& exponential_(double rate = 1, random& source = default_random(), location where = location::current()) const {
        if (!(rate > 0)) throw error(concat("gradus::exponential_(rate): a rate of ", rate).str());
        return drawn("exponential_", true, where, [&]<class T>(T) { return -std::log1p(-below_one<double>(source)) / rate; });
    }
    /// 1 with that probability, else 0.
    Tensor const& bernoulli_(double probability = 0.5, random& source = default_random(), location where = location::current()) const {
        if (!(probability >= 0 && probability <= 1))
            throw error(concat("gradus::bernoulli_(probability): ", probability, " is not between 0 and 1").str());
        return drawn("bernoulli_", false, where, [&](auto) { return source.uniform() < probability ? 1 : 0; });
    }
    /// Whole numbers in [low, high).
    Tensor const& random_(std::int64_t low, std::int64_t high, random& source = default_random(),
                          location where = location::current()) const {
        if (low >= high) throw error(concat("gradus::random_(low, high): there is no number from ", low, " to below ", high).str());
        return drawn("random_", false, where, [&](auto) { return low + whole_below(source, high - low); });
    }

private:
    Tensor const& drawn(std::string_view call, bool has_fractions, location where, auto const& draw) const {
        auto const& self = static_cast<Tensor const&>(*this);
        tensor_ref const& t = self.state();
        if (!t) refuse_undefined();
        if (has_fractions && !is_floating(t->type))
            throw error(concat("gradus::", call, ": draws numbers with fractions: the tensor is ", t->described()).str());
        draw_in_place(t, where, draw);
        return self;
    }
};

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
