// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/comparison.hpp>
#include <gradus/op/elementwise.hpp>

#include <cstdint>
#include <type_traits>

// Random numbers that are functions of a key and a place, and dropout, whose mask is therefore nowhere kept: the derivative
// computes it again.

namespace gradus::inline GRADUS_ARCH::op {

/// Philox 2x32-10 (J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011): from a counter
/// (c0, c1) and a key, the low 32 bits of each, the upper 31 bits of its first word. The same integers on every machine.
struct philox : elementwise<philox, 3> {
    static constexpr auto name = "philox";
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        for (int i = 0; i < c.count; ++i)
            if (!is_integer(c.operand[i].type) || c.operand[i].type != c.operand[0].type)
                return fail("needs integers of one type: ", letter(i), " is ", c.operand[i]);
        return {c.operand[0].type, broadcast(c, fail)};
    }
    struct words {
        std::uint32_t first, second;
    };
    static constexpr words block(words counter, std::uint32_t key) {
        for (int round = 0; round < 10; ++round, key += 0x9e3779b9u) {
            std::uint64_t const product = std::uint64_t{0xd256d193u} * counter.first;
            counter = {static_cast<std::uint32_t>(product >> 32) ^ key ^ counter.second, static_cast<std::uint32_t>(product)};
        }
        return counter;
    }
    template <class X>
    static auto eval(X first, X second, X key) {
        if constexpr (std::is_arithmetic_v<X>) {
            auto const low = [](X x) { return static_cast<std::uint32_t>(static_cast<std::int64_t>(x)); };
            return static_cast<X>(block({low(first), low(second)}, low(key)).first >> 1);
        } else {
            typename X::value_type a[X::size], b[X::size], k[X::size];
            first.store_unaligned(a);
            second.store_unaligned(b);
            key.store_unaligned(k);
            for (std::size_t i = 0; i < X::size; ++i) a[i] = eval(a[i], b[i], k[i]);
            return X::load_unaligned(a);
        }
    }
};

/// 0 with the probability `value`, x / (1 - value) elsewhere; which, is decided by a key (an integer, rank 0), the stream n[0] and
/// an element's place. The same for float and double.
struct dropout : composite {
    static constexpr auto name = "dropout";
    static constexpr int arity = 2;
    static constexpr op_kind kind = op_kind::elementwise;
    using uses = op_list<philox>;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const &x = c.operand[0], &key = c.operand[1];
        if (!is_floating(x.type)) return fail("needs a floating-point operand: a is ", x);
        if (!is_integer(key.type) || key.shape.rank() != 0) return fail("needs an integer as its key: b is ", key);
        if (!(c.attr.value >= 0 && c.attr.value <= 1)) return fail("needs a probability from 0 to 1");
        return x;
    }
    static constexpr auto expand(attributes const& attr, auto x, auto key) {
        if (attr.value == 0) return x;
        if (attr.value == 1) return x.number(0).broadcast_to(x.shape());
        dtype const integer = x.size_integer();
        auto place = key.cast(integer) * 0;
        std::int64_t after = 0;  // axes behind this one, a bit each
        for (int axis = x.shape().rank() - 1; axis >= 0; --axis) {
            auto index = x.index(axis);
            place = place + (after ? index * x.cast(integer).count(after) : index);
            after |= std::int64_t{1} << axis;
        }
        auto random = apply<philox>(place, key.cast(integer).number(static_cast<double>(attr.n[0])), key.cast(integer));
        return gradus::where(random < attr.value * 0x1p31, 0, x * (1 / (1 - attr.value)));
    }
};

}  // namespace gradus::inline GRADUS_ARCH::op
