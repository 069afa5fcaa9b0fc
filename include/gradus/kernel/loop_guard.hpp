// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/loop_folds.hpp>
#include <gradus/kernel/loop_instruction.hpp>
#include <gradus/kernel/truth.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace gradus::inline GRADUS_ARCH::kernel {

/// Rows that add nothing: a loop whose outputs are sums of where(condition, x, 0), for one condition that is the same along a row. It is
/// asked for as many rows as a vector has lanes, and only rows where it holds run. So the derivative of a minimum over k elements costs k
/// comparisons and a row, and not k rows.
template <auto Description, class Ops>
struct loop_guard {
    static constexpr auto D = Description;
    using facts = loop_facts<Description>;
    static constexpr int inner = facts::inner, axis = inner - 1, lanes = facts::width;  ///< rows are counted by `axis`
    using step_of = loop_instruction<Description, Ops>;
    using file = registers<facts::bytes, lanes, D.instruction_count>;

    template <class List>
    struct selections;
    template <template <class...> class List, class... Op>
    struct selections<List<Op...>> {
        static constexpr bool of[sizeof...(Op) + 1]{core::selects<Op>..., false};
    };
    /// The instruction that is the condition of all outputs; -1: there is none.
    static constexpr int condition = [] {
        if (axis < 0 || lanes == 1) return -1;
        int common = -1;
        for (loop_output const& o : D.outputs) {
            if (o.how == fold::epilogue) continue;
            instruction const& i = D.code[o.source];
            bool const adds = o.how == fold::sum && !facts::folds_row(o) && (facts::folds_all(o) || !(o.axes >> axis & 1));
            if (!adds || i.op < 0 || !selections<Ops>::of[i.op] || D.code[i.c].op != constant || D.code[i.c].value != 0) return -1;
            if (common >= 0 && common != i.a) return -1;
            common = i.a;
        }
        return common >= 0 && facts::change.of[common] == varies::per_row ? common : -1;
    }();
    /// What the condition is computed of.
    static constexpr auto needed = [] {
        std::array<bool, static_cast<std::size_t>(D.instruction_count)> all{};
        if (condition < 0) return all;
        all[static_cast<std::size_t>(condition)] = true;
        for (int i = condition; i >= 0; --i) {
            if (!all[static_cast<std::size_t>(i)] || D.code[i].op < 0) continue;
            for (int operand : {D.code[i].a, D.code[i].b, D.code[i].c})
                if (operand >= 0) all[static_cast<std::size_t>(operand)] = true;
        }
        return all;
    }();
    static constexpr bool exists = [] {
        bool plain = condition >= 0;
        for (int i = 0; i < D.instruction_count; ++i)
            if (needed[static_cast<std::size_t>(i)] && D.code[i].op == load) plain = plain && !D.inputs[D.code[i].a].has_window();
        return plain;
    }();

    static constexpr bool is_loaded = exists && D.code[condition < 0 ? 0 : condition].op == load;

    /// Calls run(k) for the rows k of `rows` where the condition holds. `fixed` has what changes nowhere, `in` points to row 0.
    GRADUS_PART static void each_row(file const& fixed, void const* const* in, auto const& stride, std::int64_t const* index,
                                     std::int64_t rows, auto run) {
        using lane = mask_lane<facts::bytes>;
        if constexpr (is_loaded) {
            constexpr int input = D.code[condition].a;
            return each_true(static_cast<bool const*>(in[input]), stride[input][axis], rows, run);
        }
        auto const step = [&](std::int64_t k, auto n) GRADUS_PART {
            file r = fixed;
            evaluate_all(r, in, stride, index, k, n, std::make_integer_sequence<int, condition + 1>{});
            auto const holds = r.template at<bool>(condition);
            if (!simd::any<lane, lanes>(holds)) [[likely]]
                return;
            bool each[lanes];
            simd::store_bool<lane, lanes>(each, holds, lanes);
            for (int j = 0; j < n; ++j)
                if (each[j]) run(k + j);
        };
        each_vector<lanes>(rows, step);
    }

private:
    /// Truth values of memory, eight bytes at a time where they follow each other.
    GRADUS_PART static void each_true(bool const* p, std::int64_t stride, std::int64_t rows, auto run) {
        for (std::int64_t k = 0; k < rows;) {
            std::uint64_t word = 1;
            if (stride == 1 && rows - k >= 8) std::memcpy(&word, p + k, 8);
            std::int64_t const end = std::min(rows, k + 8);
            if (word == 0) k = end;
            for (; k < end; ++k)
                if (p[k * stride]) run(k);
        }
    }
    template <int... I>
    GRADUS_PART static void evaluate_all(file& r, void const* const* in, auto const& stride, std::int64_t const* index, std::int64_t k,
                                         auto n, std::integer_sequence<int, I...>) {
        (evaluate<I>(r, in, stride, index, k, n), ...);
    }
    template <int I>
    GRADUS_PART static void evaluate(file& r, void const* const* in, auto const& stride, std::int64_t const* index, std::int64_t k,
                                     auto n) {
        constexpr instruction i = D.code[I];
        if constexpr (!needed[static_cast<std::size_t>(I)] || facts::change.of[I] != varies::per_row) return;
        else if constexpr (i.op == load) {
            using T = element_t<i.type>;
            std::int64_t const step = stride[i.a][axis];
            T const* const p = static_cast<T const*>(in[i.a]) + k * step;
            auto& to = r.template at<T>(I);
            if constexpr (std::is_same_v<T, bool>) {
                bool each[lanes] = {};
                for (int j = 0; j < n; ++j) each[j] = p[j * step];
                to = simd::load_bool<mask_lane<facts::bytes>, lanes>(each, lanes);
            } else if (step == 0) to = simd::broadcast<T, lanes>(*p);
            else if (step == 1) to = simd::load_partial<T, lanes>(p, n, T(1));
            else to = simd::load_strided<T, lanes>(p, step, n, T(1));
        } else if constexpr (i.op == special::index) {
            using T = element_t<i.type>;
            auto& to = r.template at<T>(I);
            if constexpr (i.a == axis) to = simd::lane_index<T, lanes>() + simd::broadcast<T, lanes>(static_cast<T>(k));
            else to = simd::broadcast<T, lanes>(static_cast<T>(index[i.a]));
        } else step_of::template operate<lanes, I>(r, r);
    }
};

}  // namespace gradus::inline GRADUS_ARCH::kernel
