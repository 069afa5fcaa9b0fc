// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/state/tensor.hpp>

#include <cstdio>

// Tensors as PyTorch prints them: four digits in columns, a common notation for all elements, edges of what is large.

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// Writes a tensor into any text that grows by +=. (A template, so that only programs that print pay for it.)
template <class Text>
class tensor_writer {
    static constexpr int edge = 3;      ///< elements shown at both ends of an axis of a large tensor
    static constexpr int large = 1000;  ///< elements from which on only edges are shown
    static constexpr int line_length = 80;
    static constexpr std::string_view prefix = "tensor(";

public:
    tensor_writer(Text& out, tensor_state const& t) : out_(out), t_(t), summarized_(t.size() > large) {}

    void write() {
        Text elements = std::string_view("[]");
        if (t_.size() > 0) {
            choose_notation();
            elements = Text();
            write_axis(elements, t_.data, 0, static_cast<int>(prefix.size()));
        }
        out_ += prefix;
        out_ += elements.view();
        auto const last = elements.view().rfind('\n');
        column_ = last == std::string_view::npos ? static_cast<int>(prefix.size()) + elements.size() + 2
                                                 : elements.size() - static_cast<int>(last) + 1;
        if (t_.size() == 0 && t_.rank != 1) add(concat("size=", tuple()));
        bool const usual = t_.type == dtype::float32 || (t_.size() > 0 && (t_.type == dtype::int64 || t_.type == dtype::boolean));
        if (!usual) add(concat("dtype=", name_of(t_.type)));
        t_.update_history();
        if (t_.node) add(concat("grad_fn=<", t_.node->kind->name, '>'));
        else if (t_.requires_grad) add(std::string_view("requires_grad=True"));
        out_ += ')';
    }

private:
    struct spelling {
        char letters[32];
        int size = 0;
        std::string_view view() const { return {letters, static_cast<std::size_t>(size)}; }
    };
    template <class T>
    static T at(std::byte const* place) {
        return *reinterpret_cast<T const*>(place);
    }
    double number(std::byte const* place) const {
        return with_floating_dtype(t_.type, [&]<class T>(T) { return static_cast<double>(at<T>(place)); });
    }

    /// How many steps along an axis are shown, and which element a step shows.
    std::int64_t steps(int axis) const { return is_cut(axis) ? 2 * edge : t_.extents[axis]; }
    bool is_cut(int axis) const { return summarized_ && t_.extents[axis] > 2 * edge; }
    std::byte const* element(std::byte const* from, int axis, std::int64_t step) const {
        if (is_cut(axis) && step >= edge) step += t_.extents[axis] - 2 * edge;
        return from + step * t_.stride(axis) * size_of(t_.type);
    }
    void for_each_shown(std::byte const* from, int axis, auto const& f) const {
        if (axis == t_.rank) return f(from);
        for (std::int64_t i = 0; i < steps(axis); ++i) for_each_shown(element(from, axis, i), axis + 1, f);
    }

    /// Whole numbers end in a point, others have four digits; exponents where magnitudes are far apart, large or small.
    void choose_notation() {
        if (is_floating(t_.type)) {
            double least = __builtin_huge_val(), most = 0;
            for_each_shown(t_.data, 0, [&](std::byte const* place) {
                double const x = __builtin_fabs(number(place));
                if (x == 0 || !(x < __builtin_huge_val())) return;
                least = x < least ? x : least;
                most = x > most ? x : most;
                whole_ = whole_ && x == __builtin_floor(x);
            });
            if (most == 0) return;
            exponents_ = most / least > 1000 || most > 1e8 || (!whole_ && least < 1e-4);
        }
        for_each_shown(t_.data, 0, [&](std::byte const* place) {
            bool const counts = !is_floating(t_.type) || (number(place) != 0 && __builtin_isfinite(number(place)));
            if (int const size = counts ? spelled(place).size : 0; size > width_) width_ = size;
        });
    }
    spelling spelled(std::byte const* place) const {
        spelling s;
        auto print = [&s](char const* format, auto value) { s.size = std::snprintf(s.letters, sizeof s.letters, format, value); };
        if (t_.type == dtype::boolean) print("%s", at<bool>(place) ? "True" : "False");
        else if (t_.type == dtype::int32) print("%d", static_cast<int>(at<std::int32_t>(place)));
        else if (t_.type == dtype::int64) print("%lld", static_cast<long long>(at<std::int64_t>(place)));
        else if (double const x = number(place); x != x) print("%s", "nan");
        else if (!__builtin_isfinite(x)) print("%s", x > 0 ? "inf" : "-inf");
        else if (exponents_) print("%.4e", x);
        else if (whole_) print("%.0f.", x);
        else print("%.4f", x);
        return s;
    }

    void write_element(Text& to, std::byte const* place) const {
        spelling const s = spelled(place);
        for (int i = s.size; i < width_; ++i) to += ' ';
        to += s.view();
    }
    static void break_line(Text& to, int lines, int indent) {
        for (int i = 0; i < lines; ++i) to += '\n';
        for (int i = 0; i < indent; ++i) to += ' ';
    }
    void write_axis(Text& to, std::byte const* from, int axis, int indent) const {
        if (axis == t_.rank) return write_element(to, from);
        bool const last = axis == t_.rank - 1;
        int const fitting = (line_length - indent) / (width_ + 2), per_line = fitting > 1 ? fitting : 1;
        int written = 0;
        auto separate = [&] {
            if (written) to += ',';
            if (!last && written) break_line(to, t_.rank - axis - 1, indent + 1);
            else if (last && written && written % per_line == 0) break_line(to, 1, indent + 1);
            else if (written) to += ' ';
            ++written;
        };
        to += '[';
        for (std::int64_t i = 0; i < steps(axis); ++i) {
            if (is_cut(axis) && i == edge) separate(), to += last ? std::string_view(" ...") : std::string_view("...");
            separate();
            write_axis(to, element(from, axis, i), axis + 1, indent + 1);
        }
        to += ']';
    }
    /// (0, 4), the way of Python.
    text tuple() const {
        text made = std::string_view("(");
        for (int i = 0; i < t_.rank; ++i) append(made, concat(i ? ", " : "", t_.extents[i]).view());
        made += t_.rank == 1 ? ",)" : ")";
        return made;
    }
    /// A fact behind the elements, on a line of its own where the last one is full.
    void add(text const& fact) {
        out_ += ',';
        if (column_ + fact.size() + 2 > line_length) {
            break_line(out_, 1, static_cast<int>(prefix.size()));
            column_ = static_cast<int>(prefix.size()) + fact.size();
        } else {
            out_ += ' ';
            column_ += fact.size() + 2;
        }
        out_ += fact.view();
    }

    Text& out_;
    tensor_state const& t_;
    bool summarized_, whole_ = true, exponents_ = false;
    int width_ = 1, column_ = 0;
};
template <class State>
text tensor_text(ref<State> const& state) {
    text out;
    if (state) tensor_writer<text>(out, *state).write();
    else out += "tensor(undefined)";
    return out;
}

}  // namespace core

/// The tensor as PyTorch prints it: `tensor([[1., 2.],\n        [3., 4.]], requires_grad=True)`.
template <element T, extent... E>
text to_string(tensor<T, E...> const& t) {
    return core::tensor_text(t.state());
}
template <std::same_as<any_tensor> Any>
text to_string(Any const& t) {
    return core::tensor_text(t.state());
}

/// Writes to_string(t) to any stream that takes a string_view.
template <class Stream, element T, extent... E>
    requires requires(Stream& out, std::string_view s) { out << s; }
Stream& operator<<(Stream& out, tensor<T, E...> const& t) {
    text const written = core::tensor_text(t.state());
    out << written.view();
    return out;
}
template <class Stream, std::same_as<any_tensor> Any>
    requires requires(Stream& out, std::string_view s) { out << s; }
Stream& operator<<(Stream& out, Any const& t) {
    text const written = core::tensor_text(t.state());
    out << written.view();
    return out;
}
/// The tensor that an expression is computed as.
template <class Stream, class Op, class... A>
    requires requires(Stream& out, std::string_view s) { out << s; }
Stream& operator<<(Stream& out, tensor_expression<Op, A...> const& x) {
    return out << core::computed_now(x, std::source_location::current());
}
/// `[2,3]`.
template <class Stream, std::same_as<shape> Shape>
    requires requires(Stream& out, std::string_view s) { out << s; }
Stream& operator<<(Stream& out, Shape const& s) {
    text const written = core::concat(s);
    out << written.view();
    return out;
}
/// `<AddBackward0>`, or `null`.
template <class Stream, std::same_as<grad_function> Function>
    requires requires(Stream& out, std::string_view s) { out << s; }
Stream& operator<<(Stream& out, Function const& f) {
    if (f) out << std::string_view("<") << f.name() << std::string_view(">");
    else out << std::string_view("null");
    return out;
}

}  // namespace gradus::inline GRADUS_ARCH
