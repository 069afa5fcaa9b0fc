// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/tensor/autograd/autograd.hpp>

// The derivative of recorded outputs as a linear map: applied to cotangents (backwards) and to tangents (forwards), and
// written out as a matrix. No templates; tensor/functional.hpp knows the types.

namespace gradus::inline GRADUS_ARCH::core {

using recorder_function = void (*)(tape_node&, backward_call&);

inline list<tensor_ref> only(tensor_ref const& one) { return list<tensor_ref>(1, one); }

struct pull_options {
    bool strict = false;  ///< no zeros for inputs that an output does not depend on
    bool retain = false;
    recorder_function recorder = nullptr;  ///< create_graph
};

/// The sum over outputs of cotangent times derivative, per input. A cotangent may be undefined where an output is a scalar:
/// it is 1 then.
inline list<tensor_ref> pull(list<tensor_ref> const& outputs, list<tensor_ref> const& cotangents, list<tensor_ref> const& inputs,
                             pull_options const& o, int first_output = 0) {
    if (outputs.size() != cotangents.size())
        throw autograd_error(concat("gradus::functional: got ", cotangents.size(), " tensors v for ", outputs.size()).str());
    list<tensor_ref> roots, found(inputs.size());
    grad_options options;
    options.retain_graph = o.retain || o.recorder;
    options.create_graph.recorder = o.recorder;
    options.allow_unused = true;
    for (int j = 0; j < outputs.size(); ++j) {
        if (!outputs[j]->is_recorded()) continue;
        roots.push_back(outputs[j]);
        options.grad_outputs.push_back(any_tensor(cotangents[j]));
    }
    if (!roots.empty()) found = gradients_of({roots.begin(), roots.end()}, {inputs.begin(), inputs.end()}, options);
    for (int k = 0; k < inputs.size(); ++k) {
        if (found[k] && !o.recorder && found[k]->is_recorded()) found[k] = detached(*found[k]);  // a cotangent handed on as it is
        if (found[k]) continue;
        if (o.strict)
            throw autograd_error(concat("Output ", first_output, " of the user-provided function is independent of input ", k,
                                        ". This is not allowed in strict mode.")
                                     .str());
        found[k] = zeros_like(inputs[k]->type, inputs[k]->rank, inputs[k]->extents);
    }
    return found;
}

/// The derivative forwards: what `pull` makes of cotangents u is linear in u, and its own derivative with respect to u, pulled
/// back along tangents, is the derivative of the outputs along them ("double backward").
class pushforward {
public:
    pushforward(list<tensor_ref> const& outputs, list<tensor_ref> const& inputs, recorder_function recorder, bool strict) {
        for (tensor_ref const& y : outputs) {
            u_.push_back(zeros_like(y->type, y->rank, y->extents));
            u_.back()->requires_grad = true;
        }
        pulled_ = pull(outputs, u_, inputs, {strict, true, recorder});
    }
    /// Per output the derivative along one tangent per input.
    list<tensor_ref> operator()(list<tensor_ref> const& tangents, pull_options const& o) const {
        return pull(pulled_, tangents, u_, {false, o.retain, o.recorder});
    }
    /// The same along a tangent of one input.
    list<tensor_ref> along(int input, tensor_ref const& tangent, pull_options const& o) const {
        return pull(only(pulled_[input]), only(tangent), u_, {false, o.retain, o.recorder});
    }

private:
    list<tensor_ref> u_, pulled_;
};

// ---- matrices of derivatives

/// Where the elements of a part stand in a whole: element i at start + i step.
struct part_place {
    dtype type;
    int rank = 0, whole_rank = 0;
    std::int64_t extents[max_rank]{}, whole_extents[max_rank]{};
    std::int64_t start = 0, step = 1;

    void copy(tensor_state const& whole, tensor_state& part) const {
        with_dtype(type, [&]<class T>(T) {
            for (std::int64_t i = 0, n = part.size(); i < n; ++i)
                reinterpret_cast<T*>(part.data)[i] = reinterpret_cast<T const*>(whole.data)[start + i * step];
        });
    }
    void write(tensor_state const& part, tensor_state& whole) const {
        with_dtype(type, [&]<class T>(T) {
            for (std::int64_t i = 0, n = part.size(); i < n; ++i)
                reinterpret_cast<T*>(whole.data)[start + i * step] = reinterpret_cast<T const*>(part.data)[i];
        });
    }
};
struct part_node : tape_node {
    part_place at;
};
tensor_ref part_of(tensor_ref const& whole, part_place const& at);
tensor_ref among_zeros(tensor_ref const& part, part_place const& at);
inline part_place const& place_in(tape_node& n) { return static_cast<part_node&>(n).at; }
inline node_kind const part_kind{
    "SelectBackward0", [](tape_node& n, backward_call& call) { call.gradients[0] = among_zeros(call.cotangents[0], place_in(n)); },
    &node_block<part_node>::destroy};
inline node_kind const among_zeros_kind{
    "SelectBackwardBackward0", [](tape_node& n, backward_call& call) { call.gradients[0] = part_of(call.cotangents[0], place_in(n)); },
    &node_block<part_node>::destroy};
inline void enter_part(tensor_ref const& made, tensor_ref const& from, node_kind const& kind, part_place const& at) {
    if (!modes.records || !from->is_recorded()) return;
    part_node* n = node_block<part_node>::make(kind, 1, 0, 0);
    made->node = node_ref(n);
    n->at = at;
    n->connect(0, edge_of(from));
}
inline tensor_ref part_of(tensor_ref const& whole, part_place const& at) {
    tensor_ref made = make_state(at.type, at.rank, at.extents);
    at.copy(*whole, *made);
    enter_part(made, whole, part_kind, at);
    return made;
}
inline tensor_ref among_zeros(tensor_ref const& part, part_place const& at) {
    tensor_ref made = zeros_like(at.type, at.whole_rank, at.whole_extents);
    at.write(*part, *made);
    enter_part(made, part, among_zeros_kind, at);
    return made;
}

/// Parts whose places begin `distance` apart.
struct assembled_node : tape_node {
    part_place first;
    std::int64_t distance = 0;
    part_place place(std::size_t i) const {
        part_place at = first;
        at.start += static_cast<std::int64_t>(i) * distance;
        return at;
    }
};
inline node_kind const assembled_kind{"StackBackward0",
                                      [](tape_node& base, backward_call& call) {
                                          auto const& n = static_cast<assembled_node&>(base);
                                          for (std::size_t i = 0; i < n.edges.size(); ++i)
                                              if (n.edges[i] && call.wants(i)) call.gradients[i] = part_of(call.cotangents[0], n.place(i));
                                      },
                                      &node_block<assembled_node>::destroy};
inline tensor_ref assembled(list<tensor_ref> const& parts, part_place const& first, std::int64_t distance) {
    tensor_ref made = make_state(first.type, first.whole_rank, first.whole_extents);
    bool recorded = false;
    part_place at = first;
    for (tensor_ref const& part : parts) {
        at.write(*part, *made);
        at.start += distance;
        recorded = recorded || (modes.records && part->is_recorded());
    }
    if (!recorded) return made;
    assembled_node* n = node_block<assembled_node>::make(assembled_kind, static_cast<std::size_t>(parts.size()), 0, 0);
    made->node = node_ref(n);
    n->first = first;
    n->distance = distance;
    for (int i = 0; i < parts.size(); ++i)
        if (parts[i]->is_recorded()) n->connect(static_cast<std::size_t>(i), edge_of(parts[i]));
    return made;
}

/// The place of a row (a part shaped like the input) or a column (like the output) in a matrix of derivatives, which has the
/// output's extents, then the input's.
inline part_place place_in_matrix(tensor_state const& output, tensor_state const& input, bool by_rows) {
    part_place at;
    tensor_state const& part = by_rows ? input : output;
    at.type = part.type;
    at.rank = part.rank;
    for (int i = 0; i < part.rank; ++i) at.extents[i] = part.extents[i];
    for (tensor_state const* t : {&output, &input})
        for (int i = 0; i < t->rank; ++i) at.whole_extents[at.whole_rank++] = t->extents[i];
    at.step = by_rows ? 1 : input.size();
    return at;
}
inline tensor_ref one_at(tensor_state const& like, std::int64_t index) {
    tensor_ref made = zeros_like(like.type, like.rank, like.extents);
    with_dtype(like.type, [&]<class T>(T) { reinterpret_cast<T*>(made->data)[index] = T(1); });
    return made;
}

/// All derivatives of all outputs with respect to all inputs, a backward pass per element of an output. Inputs vary fastest.
inline list<tensor_ref> matrices_by_rows(list<tensor_ref> const& outputs, list<tensor_ref> const& inputs, pull_options o) {
    o.retain = true;
    list<tensor_ref> all;
    for (int j = 0; j < outputs.size(); ++j) {
        list<list<tensor_ref>> rows(inputs.size());
        for (std::int64_t i = 0; i < outputs[j]->size(); ++i) {
            list<tensor_ref> const found = pull(only(outputs[j]), only(one_at(*outputs[j], i)), inputs, o, j);
            for (int k = 0; k < inputs.size(); ++k) rows[k].push_back(found[k]);
        }
        for (int k = 0; k < inputs.size(); ++k)
            all.push_back(assembled(rows[k], place_in_matrix(*outputs[j], *inputs[k], true), inputs[k]->size()));
    }
    return all;
}
/// The same with a forward pass per element of an input.
inline list<tensor_ref> matrices_by_columns(list<tensor_ref> const& outputs, list<tensor_ref> const& inputs, pull_options o,
                                            recorder_function recorder) {
    o.retain = true;
    pushforward const forwards(outputs, inputs, recorder, o.strict);
    list<list<tensor_ref>> columns(outputs.size() * inputs.size());
    for (int k = 0; k < inputs.size(); ++k)
        for (std::int64_t i = 0; i < inputs[k]->size(); ++i) {
            list<tensor_ref> const found = forwards.along(k, one_at(*inputs[k], i), o);
            for (int j = 0; j < outputs.size(); ++j) columns[j * inputs.size() + k].push_back(found[j]);
        }
    list<tensor_ref> all;
    for (int j = 0; j < outputs.size(); ++j)
        for (int k = 0; k < inputs.size(); ++k)
            all.push_back(assembled(columns[j * inputs.size() + k], place_in_matrix(*outputs[j], *inputs[k], false), 1));
    return all;
}

/// An input on its way into a function: a leaf of its own or, where derivatives go on to the caller's tensor, computed from it.
inline tensor_ref variable_of(tensor_ref const& t, bool connected) {
    if (!t) refuse_undefined();
    if (connected && t->is_recorded()) return clone_of(t, std::source_location::current());
    tensor_ref leaf = detached(*t);
    leaf->requires_grad = true;
    return leaf;
}

}  // namespace gradus::inline GRADUS_ARCH::core

#pragma GCC diagnostic pop
