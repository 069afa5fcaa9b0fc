// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/var.hpp>
#include <gradus/program/array.hpp>

#include <array>
#include <span>

namespace gradus::inline GRADUS_ARCH {

/// An argument of a program: `x = data`. Refers to the data, which has to live until the call ends.
template <class S, class Data>
struct binding {
    using symbol = S;
    using data_type = Data;
    std::remove_reference_t<Data>& data;
};

/// The size of a named dimension, where no argument tells it: `gr::dim<"rows"> = 3`.
template <fixed_string Name>
struct dimension_name : extent {  // gr::dim<"n"> - 2 is an extent
    static constexpr extent name{Name.view()};
    constexpr dimension_name() : extent(name) {}
    struct bound {
        static constexpr extent name = dimension_name::name;
        std::int64_t size;
    };
    constexpr bound operator=(std::int64_t size) const { return {size}; }  // NOLINT: no assignment
};
template <fixed_string Name>
inline constexpr dimension_name<Name> dim{};

/// The caller's memory for results, one for each result in order: `step(gr::out(l, dw), x = X)`.
template <class... Data>
struct out_arguments {
    std::tuple<Data&...> data;
};
template <class... Data>
constexpr out_arguments<Data...> out(Data&... data) {
    return {{data...}};
}

namespace core {

template <class D>
constexpr auto* data_pointer(D& d) {
    if constexpr (element<std::remove_const_t<D>>) return &d;
    else if constexpr (std::is_array_v<D>) return data_pointer(d[0]);
    else return d.data();
}
template <class D>
constexpr std::int64_t data_size(D& d) {
    if constexpr (element<std::remove_const_t<D>>) return 1;
    else if constexpr (std::is_array_v<D>) return static_cast<std::int64_t>(sizeof(D) / sizeof(std::remove_all_extents_t<D>));
    else return static_cast<std::int64_t>(d.size());
}

/// Data that a symbol can be bound to: a number, a C array, a gr::array, or anything contiguous with data() and size()
/// (std::vector, std::array, std::span, Eigen's row-major matrices and vectors).
template <class D>
struct data_traits {
    using value = std::remove_cvref_t<D>;
    static constexpr bool is_number = element<value>;
    static constexpr bool is_c_array = std::is_array_v<std::remove_reference_t<D>>;
    static constexpr bool has_shape = requires(value& v) {
        { v.shape() } -> std::convertible_to<gradus::shape>;
        v.data();
    };
    static constexpr bool is_range = requires(value& v) {
        v.data();
        v.size();
    };
    static constexpr bool is_matrix = requires(value& v) {
        v.rows();
        v.cols();
        v.data();
    };

    using element_type = std::remove_pointer_t<decltype(data_pointer(std::declval<std::remove_reference_t<D>&>()))>;

    /// Elements where the type tells, else -1.
    static constexpr std::int64_t static_size = [] {
        if constexpr (is_number) return std::int64_t{1};
        else if constexpr (is_c_array) return static_cast<std::int64_t>(sizeof(value) / sizeof(std::remove_all_extents_t<value>));
        else if constexpr (has_shape) {
            if constexpr (value::is_static) return value::type.shape.static_size();
            else return std::int64_t{-1};
        } else if constexpr (requires { std::tuple_size<value>::value; }) return static_cast<std::int64_t>(std::tuple_size_v<value>);
        else if constexpr (requires { value::extent; })
            return value::extent == std::dynamic_extent ? std::int64_t{-1} : static_cast<std::int64_t>(value::extent);
        else return std::int64_t{-1};
    }();
};

/// What a binding says about its symbol before the program runs; empty where it fits.
template <class S, class D>
constexpr text binding_complaint(bool written) {
    using traits = data_traits<D>;
    auto fault = [](auto const&... what) { return concat("gradus::program(", S::name(), " = data): ", what...); };
    if constexpr (!traits::is_number && !traits::is_c_array && !traits::is_range)
        return fault("the data is no number and not contiguous (data() and size())");
    else {
        using T = std::remove_const_t<typename traits::element_type>;
        if constexpr (!element<T>)
            return fault("the data's elements are none of bool, int32, int64, float, double, bfloat16, float16; ", S::name(), " is ",
                         S::type);
        else {
            constexpr std::int64_t size = traits::static_size;
            if (dtype_of<T> != S::type.type)
                return fault("element types differ: ", S::name(), " is ", S::type, ", the data is ", name_of(dtype_of<T>));
            if (size >= 0 && S::type.shape.is_static() && size != S::type.shape.static_size())
                return fault("sizes differ: ", S::name(), " is ", S::type, ", the data has ", size, " elements");
            if (written && std::is_const_v<typename traits::element_type>)
                return fault("the data is const, but the program updates ", S::name());
            if (written && traits::is_number && !std::is_lvalue_reference_v<D>)
                return fault("the data is a temporary, but the program updates ", S::name());
            if constexpr (traits::has_shape) {
                bool fits = traits::value::type.shape.rank() == S::type.shape.rank();
                shape known = traits::value::type.shape;
                for (int i = 0; fits && i < known.rank(); ++i)
                    fits = !known[i].is_static() || !S::type.shape[i].is_static() || known[i] == S::type.shape[i];
                if (!fits) return fault("shapes differ: ", S::name(), " is ", S::type, ", the data is ", traits::value::type);
            }
            if constexpr (traits::is_matrix && requires { traits::value::IsRowMajor; })
                if (!traits::value::IsRowMajor && !traits::value::IsVectorAtCompileTime)
                    return fault("the matrix is column-major: declare it with Eigen::RowMajor");
            return {};
        }
    }
}

[[noreturn, gnu::cold, gnu::noinline]] inline void refuse_null(text const& call, std::int64_t size) {
    throw binding_error(concat(call.view(), ": the data has ", size, " elements and no memory: its pointer is null").str());
}
/// Data that can be undefined (gr::tensor) has a value; what has elements has memory (a span of nothing, an array that was moved from).
template <class D>
void require_defined(std::string_view name, D const& d) {
    if constexpr (requires { d.defined(); }) {
        if (!d.defined()) throw binding_error(concat("gradus::program(", name, " = data): the tensor is undefined").str());
    } else if constexpr (requires {
                             d.size();
                             d.data();
                         }) {
        if (!d.data() && d.size() > 0) refuse_null(concat("gradus::program(", name, " = data)"), static_cast<std::int64_t>(d.size()));
    }
}
/// Data that can be a view with gaps (gr::tensor) is read and written in place only where it has none.
template <class D>
void require_contiguous(std::string_view name, D const& d) {
    if constexpr (requires { d.is_contiguous(); })
        if (!d.is_contiguous())
            throw binding_error(concat("gradus::program(", name,
                                       " = data): the elements of this view do not follow each other in memory: bind data.contiguous()")
                                    .str());
}
/// Data that counts how often it is written to is told.
template <class D>
inline constexpr bool counts_writes = requires(D const& d) { increment_version(d); };

/// The shape of bound data, where it has one.
template <class D>
bool known_shape(std::remove_reference_t<D>& d, shape& s) {
    if constexpr (data_traits<D>::has_shape) {
        s = d.shape();
        return true;
    } else if constexpr (data_traits<D>::is_matrix) {
        s = shape{static_cast<std::int64_t>(d.rows()), static_cast<std::int64_t>(d.cols())};
        return !std::remove_cvref_t<D>::IsVectorAtCompileTime;
    } else return false;
}

/// Does data of this type have the symbol's shape, whatever its value is?
template <class D, class Symbol>
inline constexpr bool has_shape_of = [] {
    using value = std::remove_cvref_t<D>;
    if constexpr (requires {
                      requires value::is_static;
                      value::type;
                  })
        return value::type.shape == Symbol::type.shape;
    else return false;
}();

/// Checks bound data against a symbol and learns named dimensions; throws shape_error naming the symbol and both sides.
/// Flat data has a size only: it tells the one dimension that is not known yet.
struct dimension_solver {
    extent const* names;
    std::int64_t* sizes;
    int count;
    int extents;  ///< the others are where parts begin

    std::int64_t* find(extent e) const {
        for (int i = 0; i < count; ++i)
            if (names[i] == e) return &sizes[i];
        return nullptr;
    }
    [[noreturn]] static void refuse(std::string_view symbol, tensor_type const& type, text const& what) {
        throw shape_error(concat("gradus::program(", symbol, " = data): ", what.view(), " (", symbol, " is ", type, ")").str());
    }
    void learn(std::string_view symbol, tensor_type const& type, extent e, std::int64_t size) const {
        if (e.is_static()) {
            if (size != e.code) refuse(symbol, type, concat("the data has extent ", size, " where ", e.code, " is expected"));
            return;
        }
        std::int64_t* known = find(e);
        if (!known) return;
        if (*known < 0) *known = size;
        if (*known != size) refuse(symbol, type, concat("dimension ", e, " is ", *known, " elsewhere and ", size, " here"));
    }
    void with_shape(std::string_view symbol, tensor_type const& type, shape const& s) const {
        if (s.rank() != type.shape.rank()) refuse(symbol, type, concat("the data has shape ", s));
        for (int i = 0; i < s.rank(); ++i) learn(symbol, type, type.shape[i], s[i].code);
    }
    std::int64_t size_of_name(extent e) const {
        std::int64_t const* known = find(e);
        return known ? *known : -1;
    }
    /// Of arithmetic on names: its value where all of them are known, and the one that is not where its value tells it.
    void settle() const {
        for (int i = 0; i < count; ++i) {
            if (!names[i].is_form()) continue;
            form const f(names[i]);
            extent missing;
            int several = 0;
            f.each_name([&](extent name) {
                if (size_of_name(name) >= 0 || missing == name) return;
                missing = name;
                ++several;
            });
            if (several == 0 && sizes[i] < 0) sizes[i] = value_of(f);
            if (several == 1 && sizes[i] >= 0) solve(f, names[i], missing, sizes[i]);
        }
    }
    std::int64_t value_of(form const& f, extent name = {}, std::int64_t size = 0) const {
        return f.at([&](extent e) { return e == name ? size : size_of_name(e); });
    }
    /// The size of `name` for which f, rising or falling, is `value`.
    void solve(form const& f, extent e, extent name, std::int64_t value) const {
        std::int64_t const most = std::int64_t{1} << 40, sign = value_of(f, name, most) < value_of(f, name, 0) ? -1 : 1;
        std::int64_t low = 0, high = most;
        while (low < high) {
            std::int64_t const middle = low + (high - low) / 2;
            if (sign * value_of(f, name, middle) >= sign * value) high = middle;
            else low = middle + 1;
        }
        if (value_of(f, name, low) != value)
            throw shape_error(concat("gradus::program: dimension ", e, " is ", value, ", and no ", name, " makes it that").str());
        if (value_of(f, name, low + 1) != value) *find(name) = low;
    }
    /// Flat data tells one extent, and may have to wait for those that other arguments tell: `learn()` is called until it returns
    /// that every extent is known; where there is arithmetic on names, after each step of it. Throws binding_error for an extent that
    /// nothing tells.
    template <bool HasForms>
    void solve(auto const& learn) const {
        for (int round = 0; round <= count; ++round) {
            if constexpr (HasForms) settle();
            if (learn() && !HasForms) break;
        }
        for (int i = 0; i < count; ++i)
            if (sizes[i] < 0 && !names[i].is_form())
                throw binding_error(
                    concat("gradus::program: no argument tells dimension ", names[i], ": pass gr::dim<\"", names[i], "\"> = size").str());
        if constexpr (HasForms) require_agreement();
    }
    /// Throws shape_error where arithmetic on names says another size than the data, or none.
    void require_agreement() const {
        for (int i = 0; i < count; ++i) {
            if (!names[i].is_form()) continue;
            form const f(names[i]);
            std::int64_t const value = value_of(f), given = std::exchange(sizes[i], value);
            bool const differs = given >= 0 && given != value, negative = value < 0 && i < extents;
            if (!differs && !negative) continue;
            text where;
            extent last;
            f.each_name([&](extent name) {
                if (name == last) return;
                where += concat(where.empty() ? " where " : ", ", name, " is ", size_of_name(name)).view();
                last = name;
            });
            text const what = differs ? concat(", and ", given, " in the data") : text();
            throw shape_error(concat("gradus::program: dimension ", names[i], " is ", value, where.view(), what.view()).str());
        }
    }
    /// True once every dimension of the symbol is known.
    bool with_size(std::string_view symbol, tensor_type const& type, std::int64_t size) const {
        std::int64_t product = 1;
        bool overflows = false;
        auto times = [&](std::int64_t n) { overflows = __builtin_mul_overflow(product, n, &product) || overflows; };
        extent unknown{0};
        int power = 0;
        for (int i = 0; i < type.shape.rank(); ++i) {
            extent e = type.shape[i];
            if (e.is_static()) {
                times(e.code);
                continue;
            }
            std::int64_t* known = find(e);
            if (known && *known >= 0) {
                times(*known);
                continue;
            }
            if (power && !(unknown == e)) return false;
            unknown = e;
            ++power;
        }
        if (overflows) refuse(symbol, type, concat("the data has ", size, " elements where more are expected than 64 bits count"));
        if (power == 0) {
            if (product != size) refuse(symbol, type, concat("the data has ", size, " elements where ", product, " are expected"));
            return true;
        }
        if (product == 0 && size == 0) return false;  // tells nothing of the rest
        std::int64_t each = product > 0 ? size / product : 0, root = each;
        if (power > 1) {
            auto raised = [power](std::int64_t r) {
                std::int64_t x = 1;
                for (int i = 0; i < power; ++i) x *= r;
                return x;
            };
            for (root = 0; raised(root) < each; ++root) {}
            if (raised(root) != each) refuse(symbol, type, concat(size, " elements do not fill equal axes"));
        }
        if (product > 0 ? each * product != size : size != 0)
            refuse(symbol, type, concat("the data has ", size, " elements, which ", product, " does not divide"));
        learn(symbol, type, unknown, root);
        return true;
    }
};

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
