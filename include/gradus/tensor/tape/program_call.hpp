// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/state/tensor.hpp>

// A compiled program called with tensors: its results are tensors, and the call is one node of the tape.

namespace gradus::inline GRADUS_ARCH::core {

template <class Source>
struct program_source {
    using parts = typename Source::parts;
    static constexpr written_as form = written_as::operations;
    static constexpr bool is_differentiated_later = true;
    static constexpr std::uint64_t constants = 0;
    static constexpr std::string_view name = "ProgramBackward0";
    static constexpr graph lower() { return differentiated_graph<Source>.thaw(); }
    static op_info const* const* operations() { return user_operations<operations_of<Source>>::get(); }
};
template <class Source>
inline constexpr bool has_updates = [] {
    for (output_entry const& o : stages<Source>::optimized.outputs)
        if (o.updates >= 0) return true;
    return false;
}();

template <class R>
struct tensor_of_result {
    using type = tensor<R>;
};
template <class T, extent... E>
struct tensor_of_result<array<T, E...>> {
    using type = tensor<T, E...>;
};
template <class Source, int I>
using tensor_result_t = typename tensor_of_result<result_t<Source, I>>::type;

/// The tensor of a binding, contiguous. What the program writes to has to be contiguous as it is.
template <class Source, class A>
tensor_ref bound_tensor(A& a) {
    tensor_ref const& t = a.data.state();
    if (!t) refuse_undefined();
    if (is_updated<Source>(A::symbol::name())) {
        require_writable(t);
        if (!t->is_contiguous())
            throw binding_error(concat("gradus::program(", A::symbol::name(),
                                       " = tensor): the program updates it, but it is a view whose elements do not follow each other")
                                    .str());
    }
    return t->is_contiguous() ? t : contiguous_copy(*t);
}

/// What one tensor means for the tape.
template <class Source, class A>
void enter_operand(A& a, tensor_ref const& contiguous, edge* edges, saved_value* operands, void** symbols, std::uint64_t& wanted) {
    constexpr int at = symbol_number<Source>(A::symbol::name());
    symbols[at] = contiguous->data;
    operands[at] = {contiguous->memory, contiguous->data, contiguous->memory->written_times()};
    if constexpr (recorded<program_source<Source>>::gradient[static_cast<std::size_t>(at)] >= 0) {
        tensor_ref const& t = a.data.state();
        if (!t->is_recorded()) return;
        edges[at] = edge_of(t);
        wanted |= std::uint64_t{1} << at;
    }
}
/// Data that is no tensor may change before the backward pass reads it: it is copied.
template <class Source, class A>
void keep_operand(A& a, std::uint64_t keep, saved_value* operands, void* const* symbols) {
    if constexpr (is_binding<A> && !is_run_time_binding<A>) {
        constexpr int at = symbol_number<Source>(A::symbol::name());
        if (!(recorded<program_source<Source>>::reads[static_cast<std::size_t>(at)] & keep)) return;
        std::int64_t const bytes = data_size(a.data) * size_of(A::symbol::type.type);
        operands[at].memory = make_storage(bytes);
        operands[at].data = operands[at].memory->data;
        std::memcpy(operands[at].data, symbols[at], static_cast<std::size_t>(bytes));
    }
}

/// Runs a program on bound arguments and records it; `symbols` and `sizes` are as the program has bound them.
template <class Source, class... A>
auto call_with_tensors(void** symbols, std::int64_t const* sizes, std::source_location where, A&... arguments) {
    using P = program_source<Source>;
    constexpr int count = stages<Source>::optimized.symbol_count;
    edge edges[count + 1];
    saved_value operands[count + 1];
    tensor_ref contiguous[sizeof...(A) + 1];
    std::uint64_t wanted = 0;
    auto each_tensor = [&](auto f) {  // f(argument, its contiguous tensor)
        int k = 0;
        auto call = [&](auto& a) {
            if constexpr (is_run_time_binding<std::remove_cvref_t<decltype(a)>>) f(a, contiguous[k]);
            ++k;
        };
        (call(arguments), ...);
    };
    each_tensor([](auto& a, tensor_ref& t) { t = bound_tensor<Source>(a); });
    if constexpr (count > 64)
        if (modes.records)
            throw autograd_error(concat("gradus::program: a call with ", count,
                                        " symbols is not recorded, which takes at most 64: call it under gr::no_grad")
                                     .str());
    if constexpr (has_updates<Source> || count > 64) {
        return [&]<int... I>(std::integer_sequence<int, I...>) {
            each_tensor([&]<class B>(B&, tensor_ref& t) { symbols[symbol_number<Source>(B::symbol::name())] = t->data; });
            require_apart<Source, false, known_memory{}>(sizes, symbols, nullptr);
            program_results_t<tensor_result_t<Source, I>...> results{
                tensor_result_t<Source, I>(result_shape<Source, I>(sizes), nullptr)...};
            void* outputs[] = {static_cast<void*>(std::get<I>(results).data())..., nullptr};
            with_scratch<Source>(sizes, [&](std::byte* scratch) { run_program<Source>({symbols, outputs, scratch, sizes}); });
            each_tensor([]<class B>(B&, tensor_ref& t) {
                if (is_updated<Source>(B::symbol::name())) t->memory->written();
            });
            return results;
        }(std::make_integer_sequence<int, stages<Source>::plan.returned>{});
    } else {
        using R = recorded<P>;
        std::int64_t named[max_dimensions]{};
        for (int i = 0; i < dimensions_of<P>.count; ++i)
            for (int k = 0; k < stages<Source>::plan.dimensions.count; ++k)
                if (dimensions_of<P>.names[i] == stages<Source>::plan.dimensions.names[k]) named[i] = sizes[k];
        each_tensor([&](auto& a, tensor_ref& t) { enter_operand<Source>(a, t, edges, operands, symbols, wanted); });
        if (!modes.records) wanted = 0;
        std::uint64_t keep = 0;
        if constexpr (R::differentiable) keep = R::facts.wanted([&](int at) { return wanted >> at & 1; });
        if (wanted) (keep_operand<Source>(arguments, keep, operands, symbols), ...);
        tensor_ref out[R::results + R::saved + 1];
        R::run(symbols, named, keep, out);
        if constexpr (R::differentiable)
            if (wanted) record(R::facts, edges, operands, out, named, dimensions_of<P>.count, keep, where);
        return [&]<int... I>(std::integer_sequence<int, I...>) {
            return program_results_t<tensor_result_t<Source, I>...>(tensor_result_t<Source, I>(std::move(out[I]))...);
        }(std::make_integer_sequence<int, R::results>{});
    }
}

}  // namespace gradus::inline GRADUS_ARCH::core
