// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/state/any_tensor.hpp>
#include <gradus/tensor/tape/second_order.hpp>
#include <gradus/tensor/tape/tape.hpp>
#include <gradus/tensor/view/concatenate.hpp>

#include <array>

// Statements on tensors whose types only run time knows: an operation's graph for the types that it meets is made, simplified and planned
// when it first runs, loops by the interpreter, and kept. On the tape it is a node like that of a recorded backward pass: its derivative,
// of any order, is made of the same graph.

namespace gradus::inline GRADUS_ARCH {
namespace core {

/// The dtype of two operands together, by PyTorch's table: floating-point before integers before bool, then the wider one.
constexpr dtype promoted(dtype a, dtype b) {
    auto category = [](dtype t) { return t == dtype::boolean ? 0 : is_integer(t) ? 1 : 2; };
    if (a == b || category(a) != category(b)) return category(a) < category(b) ? b : a;
    if (is_half(a) && is_half(b)) return dtype::float32;
    return size_of(a) < size_of(b) ? b : a;
}

/// A statement of one operation on operands of some types.
template <class Asked>
struct any_statement : program_owner {
    list<std::uint64_t> key;
    tape_program<Asked> program;
    executable<Asked>* forward = nullptr;
    list<std::uint64_t> reads;  ///< per operand: which of the known values its derivative reads, once it was asked for
    spin_lock lock;             ///< while that is found

    any_statement() = default;
    any_statement(any_statement const&) = delete;
    any_statement& operator=(any_statement const&) = delete;
    ~any_statement() override { delete forward; }
};

template <class Op>
constexpr bool runs_as(op_kind kind) {
    if constexpr (requires { Op::is_composite; }) return false;
    else return kind_of_operation<Op> == kind;
}
template <class Op>
constexpr bool divides() {
    if constexpr (requires { Op::divides; }) return Op::divides;
    else return false;
}
/// What the operands of a statement are converted to.
struct any_types {
    tensor_type of[3];
    dtype common = dtype::number;  ///< of elementwise operations and products
};
template <class Op>
any_types types_of_operands(std::span<any_operand const> operands, bool as_floating) {
    constexpr bool mixes = (runs_as<Op>(op_kind::elementwise) || runs_as<Op>(op_kind::contraction)) && !converts<Op>;
    any_types types;
    bool fraction = false;
    std::size_t const first = selects<Op> ? 1 : 0;
    for (std::size_t k = 0; k < operands.size(); ++k) {
        any_operand const& o = operands[k];
        fraction = fraction || (!o.tensor && o.is_fraction);
        if (!o.tensor) continue;
        types.of[k] = o.tensor->described();
        if (k >= first) types.common = types.common == dtype::number ? o.tensor->type : promoted(types.common, o.tensor->type);
    }
    if (types.common == dtype::number) types.common = dtype::float32;
    bool const integral = !is_floating(types.common);
    if (integral && (fraction || divides<Op>() || as_floating)) types.common = dtype::float32;
    else if (types.common == dtype::boolean)
        for (any_operand const& o : operands)
            if (!o.tensor) types.common = dtype::int64;
    for (std::size_t k = first; k < operands.size(); ++k) {
        if (!operands[k].tensor) types.of[k] = {types.common, {}};
        else if (mixes) types.of[k].type = types.common;
    }
    return types;
}
template <class O>
tensor_type inferred_at_run_time(parameters const& given, any_types const& types, std::size_t count, complaint& fail) {
    call c{given.attr, given.target, {}, static_cast<int>(count)};
    for (std::size_t k = 0; k < count; ++k) c.operand[k] = types.of[k];
    return infer_checked<O>(c, fail);
}
/// The types that the operation accepts: as promoted, or in floating point. Throws shape_error with its sentence.
template <class O>
any_types accepted_types(parameters const& given, std::span<any_operand const> operands, tensor_type& result) {
    text message;
    complaint fail{&message};
    any_types types = types_of_operands<O>(operands, false);
    result = inferred_at_run_time<O>(given, types, operands.size(), fail);
    if (!fail.failed) return types;
    if (runs_as<O>(op_kind::elementwise) && !is_floating(types.common)) {
        any_types const floating = types_of_operands<O>(operands, true);
        complaint again;
        result = inferred_at_run_time<O>(given, floating, operands.size(), again);
        if (!again.failed) return floating;
    }
    constexpr std::string_view names[] = {"()", "(a)", "(a, b)", "(a, b, c)"};
    throw shape_error(concat("gradus::", O::name, names[operands.size()], ": ", message).str());
}
template <class O, std::size_t... I>
value value_of_operation(parameters const& given, std::array<value, sizeof...(I)> const& operands, std::index_sequence<I...>) {
    if constexpr (requires { O::is_composite; }) return O::expand(given.attr, operands[I]...);
    else if constexpr (requires { O::lower(operands[0], operands[0]); }) return O::lower(operands[0], operands[1]);
    else return build_on<O>(given.attr, given.target, {operands[I]...});
}
template <class Op, class Asked, std::size_t N>
void make_statement(any_statement<Asked>& made, parameters const& given, any_operand const (&operands)[N], any_types const& types) {
    tape_program<Asked>& p = made.program;
    std::array<value, N> in = []<std::size_t... I>(std::index_sequence<I...>) {
        return std::array<value, N>{(static_cast<void>(I), value(0.0))...};
    }(std::make_index_sequence<N>{});
    for (std::size_t k = 0; k < N; ++k) {
        tensor_type type = types.of[k];
        type.type = operands[k].tensor ? operands[k].tensor->type : computed_in(type.type);
        node const n{&info_of<op::symbol>, {-1, -1, -1}, type.type, type.shape, op::symbol::numbered(static_cast<int>(k))};
        p.g.symbols.push_back({std::string_view("abc").substr(k, 1), type});
        in[k] = value{p.g, p.g.intern(n)};
        if (type.type != types.of[k].type) in[k] = in[k].cast(operands[k].tensor ? types.of[k].type : dtype::number);
    }
    value const result = value_of_operation<typename operation<Op>::type>(given, in, std::make_index_sequence<N>{});
    p.g.outputs.push_back({result.id(), -1});
    p.g = pass::simplify_differentiable(p.g);
    int const output = p.g.outputs[0].node;
    for (int i = 0; i < p.g.size(); ++i)
        if (p.g[i].is_symbol()) p.known.push_back(i), p.saved_at.push_back(p.g[i].symbol());
    if (!p.g[output].is_symbol()) p.known.push_back(output), p.saved_at.push_back(static_cast<int>(N));
    made.forward = new executable<Asked>(executable<Asked>::prepared(p.g), operations_at_run_time<Asked>());
}
/// Which known values the derivative with respect to each operand reads.
template <class Asked>
void find_reads(any_statement<Asked>& s) {
    tape_program<Asked>& p = s.program;
    if (text const missing = derivative_complaint(p.g, list<char>(p.g.size(), 1), p.g.outputs[0].node, true); !missing.empty())
        throw autograd_error(missing.str());
    tape_program<Asked> const& d = derivative_of(p, list<char>(1, static_cast<char>(cotangent_kind::value)), false);
    list<std::uint64_t> reads;
    for (int k = 0; k < p.g.symbols.size(); ++k) {
        std::uint64_t bits = 0;
        if (int const o = d.gradient[k]; o >= 0) {
            list<char> const needed = needed_for(d, list<int>(1, d.g.outputs[o].node));
            for (int j = 0; j < p.known.size(); ++j)
                if (needed[d.known[j]]) bits |= std::uint64_t{1} << j;
        }
        reads.push_back(bits);
    }
    s.reads = reads;
}
#ifdef GRADUS_SEPARATE_COMPILATION
extern template void find_reads<void>(any_statement<void>& s);
#endif

/// The statement of one operation that has this key, or a new one that `make` fills. Those that were asked for last are kept.
template <class Asked, class Op>
ref<any_statement<Asked>> statement_for(list<std::uint64_t> const& key, auto const& make) {
    using statement = ref<any_statement<Asked>>;
    struct statements {
        list<statement> all;  ///< the last is the one that was asked for last
        spin_lock lock;
    };
    static statements& known = *new statements;  // never destroyed: static objects may ask
    statement gone;                              // ends after the lock
    locked held(known.lock);
    for (int i = known.all.size() - 1; i >= 0; --i) {
        if (!same(known.all[i]->key, key)) continue;
        if (i + 1 == known.all.size()) return known.all[i];
        statement found = known.all[i];
        known.all.erase(i);
        known.all.push_back(found);
        return found;
    }
    statement made(new any_statement<Asked>);
    made->key = key;
    make(*made);
    if (known.all.size() == target::statements_of_operation) {
        gone = known.all[0];
        known.all.erase(0);
    }
    known.all.push_back(made);
    return made;
}
inline void append_type(list<std::uint64_t>& key, dtype type, shape const& s) {
    key.push_back(static_cast<std::uint64_t>(type) << 8 | static_cast<std::uint64_t>(s.rank()));
    for (int i = 0; i < s.rank(); ++i) key.push_back(static_cast<std::uint64_t>(s[i].code));
}
/// The elements of an operand as a program reads them.
inline saved_value read_value(any_operand const& o, dtype number_type) {
    saved_value v;
    if (o.tensor) {
        tensor_ref const t = o.tensor->is_contiguous() ? o.tensor : contiguous_copy(*o.tensor);
        v.memory = t->memory;
        v.data = t->data;
        v.version = t->memory->written_times();
        return v;
    }
    v.is_number = true;
    with_dtype(computed_in(number_type), [&]<class T>(T) {
        auto const number = static_cast<T>(o.number);
        std::memcpy(&v.number, &number, sizeof number);
    });
    return v;
}
template <class Asked, class Op>
void record_statement(any_statement<Asked>& s, std::span<any_operand const> operands, saved_value const* values, tensor_ref const& result,
                      std::source_location where) {
    {
        locked held(s.lock);
        if (s.reads.size() == 0) find_reads(s);
    }
    int const known = s.program.known.size();
    auto* made = node_block<derived_node<Asked>>::make(derived_kind<Asked, node_name<Op, 2, 2>>, operands.size(),
                                                       static_cast<std::size_t>(known), 0);
    node_ref const owner(made);
    made->file = where.file_name();
    made->line = where.line();
    made->program = &s.program;
    made->owner = ref<program_owner>::sharing(&s);
    std::uint64_t reads = 0;
    for (std::size_t k = 0; k < operands.size(); ++k) {
        if (!operands[k].tensor || !is_floating(operands[k].tensor->type)) continue;
        edge e = edge_of(operands[k].tensor);
        if (e) reads |= s.reads[static_cast<int>(k)];
        made->connect(k, std::move(e));
    }
    made->has_them_saved = true;
    for (int j = 0; j < known; ++j) {
        auto const at = static_cast<std::size_t>(s.program.saved_at[j]);
        bool const is_read = reads >> j & 1;
        if (at < operands.size() && (is_read || values[at].is_number)) made->saved[static_cast<std::size_t>(j)] = values[at];
        if (at == operands.size() && is_read) made->save(static_cast<std::size_t>(j), *result);
    }
    result->node = owner;
    result->output = 0;
}

/// Computes an operation, and records it if the thread records and an operand wants a derivative.
template <class Op, class Asked, std::size_t N>
tensor_ref run_statement(parameters const& given, any_operand const (&operands)[N], std::source_location where) {
    using O = typename operation<Op>::type;
    for (any_operand const& o : operands)
        if (o.tensor) forget_source(*o.tensor);
    tensor_type result;
    any_types const types = accepted_types<O>(given, operands, result);
    if constexpr (indexing<Op>) {
        indexed_axis const rule = O::indexes(given.attr, types.of[0].shape.rank());
        if (tensor_ref const& names = operands[rule.operand].tensor) require_in_range(O::name, rule, types.of[0], *names);
    }
    list<std::uint64_t> key;
    key.push_back(bits_of(given.attr.value));
    for (std::int64_t n : given.attr.n) key.push_back(static_cast<std::uint64_t>(n));
    append_type(key, dtype::number, given.target);
    for (std::size_t k = 0; k < N; ++k) {
        key.push_back(static_cast<std::uint64_t>(types.of[k].type) << 1 | std::uint64_t{!operands[k].tensor});
        append_type(key, operands[k].tensor ? operands[k].tensor->type : dtype::number, types.of[k].shape);
    }
    auto const s =
        statement_for<Asked, Op>(key, [&](any_statement<Asked>& made) { make_statement<Op, Asked, N>(made, given, operands, types); });
    saved_value values[N];
    void* in[N];
    for (std::size_t k = 0; k < N; ++k) {
        values[k] = read_value(operands[k], types.of[k].type);
        in[k] = const_cast<void*>(values[k].elements());
    }
    std::int64_t extents[max_rank]{}, none[1]{};
    for (int i = 0; i < result.shape.rank(); ++i) extents[i] = result.shape[i].code;
    tensor_ref made = make_state(result.type, result.shape.rank(), extents);
    void* out[] = {made->data};
    aligned_buffer scratch(static_cast<std::size_t>(s->forward->workspace_bytes(none)) + 1);
    s->forward->run({in, out, scratch.data(), none});
    bool records = false;
    for (any_operand const& o : operands) records = records || (o.tensor && is_floating(o.tensor->type) && is_recording(o.tensor));
    if (records && is_floating(result.type)) record_statement<Asked, Op>(*s, operands, values, made, where);
    return made;
}

template <double V>
any_operand any_operand_of(constant_expr<V> const&) {
    return {{}, V, V != static_cast<double>(static_cast<std::int64_t>(V))};
}
template <class X>
any_operand any_operand_of(X const& x) {
    static_assert(!expression<X>, "gradus: a symbol meets an any_tensor: symbols are for compiled programs");
    if constexpr (std::is_arithmetic_v<X>) return {{}, static_cast<double>(x), std::is_floating_point_v<X>};
    else {
        tensor_ref t;
        if constexpr (std::same_as<X, any_tensor>) t = x.state();
        else t = computed(x, std::source_location::current()).state();
        if (!t) refuse_undefined();
        return {std::move(t)};
    }
}
template <class Asked>
void start_backward(tensor_ref const& root, std::span<tensor_ref const> gradient, backward_options const* options) {
    if (!root) refuse_undefined();
    backward_options const given = options ? *options : backward_options{};
    any_tensor const seed = gradient.empty() ? given.gradient : any_tensor(gradient[0]);
    core::backward(std::span(&root, 1), seed.defined() ? std::span(&seed, 1) : std::span<any_tensor const>(), given);
}

}  // namespace core

/// An operation of the language on a tensor that only run time knows, beside others, typed tensors and numbers: computed at once.
template <class Op, class... A>
    requires((std::same_as<A, any_tensor> || ...) && result_count<Op> == 1)
any_tensor build(op_tag<Op>, A const&... operands) {
    core::any_operand const all[] = {core::any_operand_of(operands)...};
    return any_tensor(core::run_statement<Op, void>(core::operation<Op>::given, all, std::source_location::current()));
}

/// One operand of an operator is an any_tensor.
template <class A, class B>
concept any_operands = (std::same_as<A, any_tensor> && (std::same_as<B, any_tensor> || run_time_operand<B> || std::is_arithmetic_v<B>)) ||
                       (std::same_as<B, any_tensor> && (run_time_operand<A> || std::is_arithmetic_v<A>));

template <std::same_as<any_tensor> A>
any_tensor operator-(A const& a) {
    return apply<op::neg>(a);
}
template <class A, class B>
    requires any_operands<A, B>
any_tensor operator+(A const& a, B const& b) {
    return apply<op::add>(a, b);
}
template <class A, class B>
    requires any_operands<A, B>
any_tensor operator-(A const& a, B const& b) {
    return apply<op::sub>(a, b);
}
template <class A, class B>
    requires any_operands<A, B>
any_tensor operator*(A const& a, B const& b) {
    return apply<op::mul>(a, b);
}
template <class A, class B>
    requires any_operands<A, B>
any_tensor operator/(A const& a, B const& b) {
    return apply<op::div>(a, b);
}
template <class A, class B>
    requires any_operands<A, B>
any_tensor operator<(A const& a, B const& b) {
    return apply<op::less>(a, b);
}
template <class A, class B>
    requires any_operands<A, B>
any_tensor operator<=(A const& a, B const& b) {
    return apply<op::less_equal>(a, b);
}
template <class A, class B>
    requires any_operands<A, B>
any_tensor operator>(A const& a, B const& b) {
    return apply<op::greater>(a, b);
}
template <class A, class B>
    requires any_operands<A, B>
any_tensor operator>=(A const& a, B const& b) {
    return apply<op::greater_equal>(a, b);
}
/// Element by element; `a == b` of two of them asks whether they are one tensor.
template <class A, class B>
    requires any_operands<A, B>
any_tensor eq(A const& a, B const& b) {
    return apply<op::equal>(a, b);
}
template <class A, class B>
    requires any_operands<A, B>
any_tensor ne(A const& a, B const& b) {
    return apply<op::not_equal>(a, b);
}
/// Joined along an axis; shapes agree beside it, dtypes are promoted.
template <std::same_as<any_tensor> A>
any_tensor cat(std::initializer_list<A> parts, int axis = 0, std::source_location where = std::source_location::current()) {
    core::list<core::tensor_ref> states;
    dtype common = dtype::number;
    for (A const& a : parts) {
        if (!a.defined()) core::refuse_undefined();
        common = common == dtype::number ? a.dtype() : core::promoted(common, a.dtype());
        if (a.rank() != parts.begin()->rank())
            throw shape_error(core::concat("gradus::cat(parts, axis): ranks differ: one is ", parts.begin()->state()->described(),
                                           ", another is ", a.state()->described())
                                  .str());
    }
    for (A const& a : parts) states.push_back(a.to(common, where).state());
    int const at = states.size() ? core::any_axis("cat(parts, axis)", *states[0], axis) : 0;
    return any_tensor(core::joined({states.begin(), states.end()}, at, where));
}

}  // namespace gradus::inline GRADUS_ARCH
