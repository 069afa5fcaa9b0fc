// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/exec/extents.hpp>
#include <gradus/exec/run_parallel.hpp>
#include <gradus/exec/short_name.hpp>
#include <gradus/program/bind.hpp>
#include <gradus/program/overlap.hpp>
#include <gradus/program/report.hpp>
#include <gradus/program/results.hpp>

#include <cstring>
#include <source_location>

namespace gradus::inline GRADUS_ARCH {

namespace core {

template <class T>
inline constexpr bool is_binding = false;
template <class S, class D>
inline constexpr bool is_binding<binding<S, D>> = true;
template <class T>
inline constexpr bool is_binding<T const> = is_binding<T>;
template <class T>
inline constexpr bool is_out = false;
template <class... D>
inline constexpr bool is_out<out_arguments<D...>> = true;
/// Is the data of a binding a tensor of the run-time wrapper?
template <class T>
inline constexpr bool is_run_time_binding = [] {
    if constexpr (is_binding<T>) return run_time_operand<std::remove_cvref_t<typename T::data_type>>;
    else return false;
}();
template <class Source, class... A>
auto call_with_tensors(void** symbols, std::int64_t const* sizes, std::source_location where, A&... arguments);
template <class T>
inline constexpr bool is_dimension = requires {
    T::name;
    std::declval<T>().size;
} && !is_binding<T>;

template <class A>
constexpr std::string_view bound_name() {
    if constexpr (is_binding<A>) return A::symbol::name();
    else return {};
}
template <class A>
constexpr tensor_type bound_type() {
    if constexpr (is_binding<A>) return A::symbol::type;
    else return {};
}

/// What is wrong with the arguments of a call, empty where nothing is: names that are missing, doubled or unknown.
template <class Source, class... A>
constexpr text arguments_complaint() {
    using S = stages<Source>;
    constexpr auto const& g = S::optimized;
    if constexpr (!((is_binding<A> || is_out<A> || is_dimension<A> || std::is_same_v<A, workspace> || is_parallel<A>) && ...))
        return concat(
            "gradus::program: an argument is no binding: write x = data, gr::out(...), gr::dim<\"n\"> = size, gr::parallel(...), or pass a "
            "gr::workspace");
    if constexpr ((is_parallel<A> || ...) && (is_run_time_binding<A> || ...) && !(is_out<A> || ...))
        return concat("gradus::program: a call that is recorded runs on one thread: gr::parallel needs arrays, or gr::out(...)");
    for (int i = 0; i < g.size(); ++i) {
        if (!g[i].is_symbol()) continue;
        std::string_view wanted = g.symbols[g[i].symbol()].name;
        if (((bound_name<A>() != wanted) && ...))
            return concat("gradus::program: symbol \"", wanted, "\" is not bound: ", wanted, " is ", g[i].result(), ", write ", wanted,
                          " = data");
    }
    std::string_view names[] = {std::string_view{}, bound_name<A>()...};
    tensor_type types[] = {tensor_type{}, bound_type<A>()...};
    for (unsigned i = 1; i <= sizeof...(A); ++i) {
        if (names[i].empty()) continue;
        for (unsigned j = 1; j < i; ++j)
            if (names[i] == names[j]) return concat("gradus::program: symbol \"", names[i], "\" is bound twice");
        bool known = false;
        for (int s = 0; s < g.symbol_count; ++s) {
            if (g.symbols[s].name != names[i]) continue;
            known = true;
            if (!(g.symbols[s].type == types[i]))
                return concat("gradus::program: symbol \"", names[i], "\" has two types: ", g.symbols[s].type, " in the program, ",
                              types[i], " where it is bound");
        }
        if (!known) return concat("gradus::program: symbol \"", names[i], "\" is not in this program");
    }
    return {};
}

template <class Source>
constexpr int symbol_number(std::string_view name) {
    constexpr auto const& g = stages<Source>::optimized;
    for (int s = 0; s < g.symbol_count; ++s)
        if (g.symbols[s].name == name) return s;
    return -1;
}
template <class Source>
constexpr bool is_updated(std::string_view name) {
    for (output_entry const& o : stages<Source>::optimized.outputs)
        if (o.updates >= 0 && stages<Source>::optimized.symbols[o.updates].name == name) return true;
    return false;
}
/// A number that is not written to is copied before the program runs, so that it shares memory with nothing.
template <class Source, class S, class D>
inline constexpr bool is_copied = data_traits<D>::is_number && !is_updated<Source>(S::name());
template <class Source, class S, class D>
constexpr text one_binding_complaint() {
    return binding_complaint<S, D>(is_updated<Source>(S::name()));
}

/// The node of the I-th result that is returned.
template <class Source>
constexpr int returned_node(int index) {
    for (output_entry const& o : stages<Source>::optimized.outputs)
        if (o.updates < 0 && index-- == 0) return o.node;
    return -1;
}
template <class Source, int I>
inline constexpr tensor_type returned_type = stages<Source>::optimized[returned_node<Source>(I)].result();

template <tensor_type Type, class Axes>
struct result_array;
template <tensor_type Type, int... Axis>
struct result_array<Type, std::integer_sequence<int, Axis...>> {
    using type = array<element_t<Type.type>, (Type.shape[Axis].is_static() ? Type.shape[Axis] : dyn)...>;
};
template <tensor_type Type>
struct result_array<Type, std::integer_sequence<int>> {
    using type = element_t<Type.type>;
};
template <class Source, int I>
using result_t =
    typename result_array<returned_type<Source, I>, std::make_integer_sequence<int, returned_type<Source, I>.shape.rank()>>::type;

template <class Source, int I>
shape result_shape(std::int64_t const* dimensions) {
    numbers extents = extents_of<Source, returned_node<Source>(I)>.at(dimensions);
    shape s;
    for (int axis = 0; axis < returned_type<Source, I>.shape.rank(); ++axis) s.push_back(extents.n[axis]);
    return s;
}
/// A result of the right size, its elements not yet written.
template <class Source, int I>
result_t<Source, I> make_result(std::int64_t const* dimensions) {
    using R = result_t<Source, I>;
    if constexpr (element<R>) return R{};
    else return R(uninitialized, result_shape<Source, I>(dimensions));
}
template <class R>
void* result_memory(R& r) {
    if constexpr (element<R>) return &r;
    else return r.data();
}

}  // namespace core

/// A compiled program: an empty, reentrant, thread-safe function object. All state is the caller's.
///
/// `auto [l, dw] = step(x = X, w = W)` binds by name, in any order. A rank 0 result is a plain number, any other a
/// gr::array. Parameters that the program updates are written in place. Throws shape_error where run-time sizes do not
/// fit (nothing has been written then).
template <class Source>
class program : public program_report<Source> {
    using S = stages<Source>;
    static constexpr auto const& plan = S::plan;

public:
    template <class... A>
    auto operator()(A&&... arguments) const {
        core::report<&core::arguments_complaint<Source, std::remove_cvref_t<A>...>>();
        if constexpr (core::is_empty<&core::arguments_complaint<Source, std::remove_cvref_t<A>...>>) {
            (check_binding<std::remove_cvref_t<A>>(), ...);
            std::int64_t dimensions[max_dimensions]{};
            void* symbols[S::optimized.symbol_count + 1] = {};
            std::int64_t numbers[S::optimized.symbol_count + 1];  // copies of numbers that are only read
            bind(dimensions, symbols, numbers, arguments...);
            if constexpr ((core::is_run_time_binding<std::remove_cvref_t<A>> || ...) &&
                          !(core::is_out<std::remove_cvref_t<A>> || ...))  // found where tensors are (tensor/tape/program_call.hpp)
                return core::call_with_tensors<Source>(symbols, dimensions, std::source_location::current(), arguments...);
            else return call(dimensions, symbols, arguments...);
        }
    }

private:
    template <class A>
    static constexpr void check_binding() {
        if constexpr (core::is_binding<A>) core::report<&core::one_binding_complaint<Source, typename A::symbol, typename A::data_type>>();
    }

    // ---- arguments

    static constexpr bool has_forms = [] {
        bool any = false;
        for (int i = 0; i < plan.dimensions.count; ++i) any = any || plan.dimensions.names[i].is_form();
        return any;
    }();
    static void bind(std::int64_t* dimensions, void** symbols, std::int64_t* numbers, auto&... arguments) {
        for (int i = 0; i < plan.dimensions.count; ++i) dimensions[i] = -1;
        core::dimension_solver solver{plan.dimensions.names, dimensions, plan.dimensions.count, plan.dimensions.extents};
        (bind_dimension(solver, arguments), ...);
        (bind_shape(solver, symbols, numbers, arguments), ...);
        solver.solve<has_forms>([&] { return (bind_size(solver, arguments) & ...); });
        if constexpr (plan.dimensions.count > 0) {
            core::require_countable<Source>(dimensions);
            core::require_elements<Source, core::dimensions_of_program<Source>>(dimensions);
        }
    }
    template <class A>
    static void bind_dimension(core::dimension_solver const& solver, A& a) {
        if constexpr (core::is_dimension<A>) {
            if (std::int64_t* size = solver.find(A::name)) *size = a.size;
        }
    }
    template <class A>
    static void bind_shape(core::dimension_solver const& solver, void** symbols, [[maybe_unused]] std::int64_t* numbers, A& a) {
        if constexpr (core::is_binding<A>) {
            using B = typename A::symbol;
            constexpr int number = core::symbol_number<Source>(B::name());
            core::require_defined(B::name(), a.data);
            if constexpr (core::is_copied<Source, B, typename A::data_type>)
                symbols[number] = std::memcpy(&numbers[number], &a.data, sizeof(a.data));
            else symbols[number] = const_cast<void*>(static_cast<void const*>(core::data_pointer(a.data)));
            if constexpr (!core::has_shape_of<typename A::data_type, B>) {
                shape s;
                if (core::known_shape<typename A::data_type>(a.data, s)) solver.with_shape(B::name(), B::type, s);
            }
        }
    }
    template <class A>
    static bool bind_size(core::dimension_solver const& solver, A& a) {
        if constexpr (core::is_binding<A>) {
            using traits = core::data_traits<typename A::data_type>;
            if constexpr (traits::static_size >= 0 && A::symbol::type.shape.is_static()) return true;  // checked by the compiler
            else return solver.with_size(A::symbol::name(), A::symbol::type, core::data_size(a.data));
        } else return true;
    }

    // ---- results and scratch memory

    template <class... A>
    static auto call(std::int64_t const* dimensions, void* const* symbols, A&... arguments) {
        if constexpr ((core::is_out<std::remove_const_t<A>> || ...)) {
            void* outputs[plan.returned + 1] = {};
            (require_in_place(arguments), ...);
            (bind_out(dimensions, outputs, arguments), ...);
            core::require_apart<Source, true, what_is_known<A...>()>(dimensions, symbols, outputs);
            execute(dimensions, symbols, outputs, arguments...);
        } else {
            return call_by_value(dimensions, symbols, std::make_integer_sequence<int, plan.returned>{}, arguments...);
        }
    }
    template <int... I>
    static auto call_by_value(std::int64_t const* dimensions, void* const* symbols, std::integer_sequence<int, I...>, auto&... arguments) {
        core::program_results_t<core::result_t<Source, I>...> results{core::make_result<Source, I>(dimensions)...};
        void* outputs[] = {core::result_memory(std::get<I>(results))..., nullptr};
        core::require_apart<Source, false, what_is_known<std::remove_reference_t<decltype(arguments)>...>()>(dimensions, symbols, outputs);
        execute(dimensions, symbols, outputs, arguments...);
        return results;
    }
    template <class... A>
    static constexpr core::known_memory what_is_known() {
        core::known_memory all;
        ((all |= known_of(std::type_identity<std::remove_const_t<A>>{})), ...);
        return all;
    }
    template <class D>
    static constexpr core::known_memory known_data(int number) {
        std::uint64_t const bit = core::known_memory::bit(number);
        return {core::is_whole_object<D> ? bit : 0, core::data_traits<D>::is_number ? bit : 0, 0};
    }
    template <class B, class D>
    static constexpr core::known_memory known_of(std::type_identity<binding<B, D>>) {
        int const number = core::symbol_number<Source>(B::name());
        core::known_memory known = known_data<D>(number);
        if (core::is_copied<Source, B, D>) known.copied = core::known_memory::bit(number);
        return known;
    }
    template <class... D>
    static constexpr core::known_memory known_of(std::type_identity<out_arguments<D...>>) {
        core::known_memory all;
        int number = S::optimized.symbol_count;
        ((all |= known_data<D&>(number++)), ...);
        return all;
    }
    template <class A>
    static constexpr core::known_memory known_of(std::type_identity<A>) {
        return {};
    }
    /// With gr::out, tensors are arrays: nothing is recorded, and nothing copied.
    template <class A>
    static void require_in_place([[maybe_unused]] A& a) {
        if constexpr (core::is_binding<A>) {
            core::require_contiguous(A::symbol::name(), a.data);
            if constexpr (core::counts_writes<std::remove_reference_t<typename A::data_type>>)
                if constexpr (core::is_updated<Source>(A::symbol::name())) require_writable(a.data);
        }
    }
    template <class A>
    static void bind_out(std::int64_t const* dimensions, void** outputs, A& a) {
        if constexpr (core::is_out<std::remove_const_t<A>>) {
            static_assert(std::tuple_size_v<decltype(a.data)> == static_cast<std::size_t>(plan.returned),
                          "gradus::program(gr::out(...)): one target for each result");
            bind_targets(dimensions, outputs, a.data, std::make_integer_sequence<int, plan.returned>{});
        }
    }
    template <class... D, int... I>
    static void bind_targets(std::int64_t const* dimensions, void** outputs, std::tuple<D&...> const& data,
                             std::integer_sequence<int, I...>) {
        (bind_target<I, D>(dimensions, outputs, std::get<I>(data)), ...);
    }
    template <int I, class D>
    static void bind_target(std::int64_t const* dimensions, void** outputs, D& data) {
        using traits = core::data_traits<D&>;
        constexpr tensor_type type = core::returned_type<Source, I>;
        static_assert(std::is_same_v<typename traits::element_type, element_t<type.type>>,
                      "gradus::program(gr::out(...)): a target's elements are const or of another type than the result's");
        constexpr monomial elements = [] {
            dimension_table table = plan.dimensions;
            return table.size(core::returned_type<Source, I>.shape);
        }();
        std::int64_t size = elements.at(dimensions);
        core::require_defined("out", data);
        core::require_contiguous("out", data);
        if (core::data_size(data) != size)
            throw shape_error(core::concat("gradus::program(gr::out(...)): target ", I, " has ", core::data_size(data), " elements where ",
                                           type, " has ", size)
                                  .str());
        outputs[I] = core::data_pointer(data);
    }
    template <class... A>
    static void execute(std::int64_t const* dimensions, void* const* symbols, void* const* outputs, A&... arguments) {
        core::thread_team team;
        (find_team(team, arguments), ...);
        auto run = [&](std::byte* scratch) {
            core::run_context const context{symbols, outputs, scratch, dimensions};
            if constexpr ((core::is_parallel<std::remove_const_t<A>> || ...)) core::run_program_on<Source>(context, team);
            else core::run_program<Source>(context);
        };
        if constexpr ((std::is_same_v<A, workspace> || ...)) {
            workspace& given = first_workspace(arguments...);
            core::require_no_scratch<Source>(dimensions, symbols, outputs, given);
            given.reserve(static_cast<std::size_t>(core::scratch_bytes<Source>(dimensions, team.threads)));
            run(given.data());
        } else {
            core::with_scratch<Source>(dimensions, run, team.threads);
        }
        (note_written(arguments), ...);
    }
    template <class A>
    static void note_written([[maybe_unused]] A& a) {
        if constexpr (core::is_binding<A>) {
            if constexpr (core::counts_writes<std::remove_reference_t<typename A::data_type>>) {
                if constexpr (core::is_updated<Source>(A::symbol::name())) increment_version(a.data);
            }
        } else if constexpr (core::is_out<std::remove_const_t<A>>) {
            std::apply([](auto&... target) { (note_target(target), ...); }, a.data);
        }
    }
    template <class D>
    static void note_target([[maybe_unused]] D& target) {
        if constexpr (core::counts_writes<D>) increment_version(target);
    }
    template <class A>
    static void find_team([[maybe_unused]] core::thread_team& team, [[maybe_unused]] A& a) {
        if constexpr (core::is_parallel<std::remove_const_t<A>>) team = core::thread_team::of(a);
    }
    template <class First, class... Rest>
    static workspace& first_workspace(First& first, Rest&... rest) {
        if constexpr (std::is_same_v<First, workspace>) return first;
        else return first_workspace(rest...);
    }
};

/// Compiles expressions and updates into one program: `constexpr auto step = gr::compile(loss, gr::grad(loss, w));`.
template <class... E>
constexpr auto compile(E...) {
    using source = expressions<E...>;
    if constexpr (!core::is_empty<&core::derivatives_complaint<source>>) {
        core::report<&core::derivatives_complaint<source>>();  // alone: nothing is made of derivatives that are not there
        return 0;
    } else {
        using named = typename decltype(core::named<source>())::type;
        core::report<&core::symbols_complaint<named>>();
        return program<named>{};
    }
}

}  // namespace gradus::inline GRADUS_ARCH
