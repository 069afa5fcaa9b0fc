// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/meta.hpp>
#include <gradus/tensor/state/tensor.hpp>

#include <concepts>
#include <source_location>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

// What a module consists of. A module is a struct whose members are tensors, other modules, and std::tuple, std::array, std::vector,
// std::optional and pointers of these. It says their names in one of two ways:
//
//     auto members() const { return gr::nn::members("weight", weight, "bias", bias).buffers("mean", mean); }
//     BOOST_HANA_DEFINE_STRUCT(net, (gr::nn::linear<float, 2, 8>, body), (gr::nn::linear<float, 8, 1>, head));
//
// Numbers, enumerations, texts and classes that can be copied byte by byte have no tensors and are passed over.

namespace gradus::inline GRADUS_ARCH::nn {

/// Is the module training? Layers that compute something else then (dropout, batch normalization) have one; nn::train sets it. A module
/// is like a tensor: const says that its members stay the same objects, not that these keep their state.
struct training_mode {
    mutable bool on = true;
    operator bool() const { return on; }  // NOLINT: if (training)
};

/// A member under its name. Buffers are tensors that belong to the state but not to the optimiser.
template <class M, bool Buffer>
struct named_member {
    std::string name;
    M const* value;
    static constexpr bool is_buffer = Buffer;
};

template <bool Buffer, class... A>
auto named_members(A&&... names_and_members) {
    static_assert(sizeof...(A) % 2 == 0, "gradus::nn::members(...): a name before each member");
    auto all = std::forward_as_tuple(names_and_members...);
    auto const one = [&all]<std::size_t I>(std::integral_constant<std::size_t, I>) {
        using given = std::tuple_element_t<2 * I + 1, std::tuple<A...>>;
        static_assert(std::is_lvalue_reference_v<given>,
                      "gradus::nn::members(...): a member is an object of the module: a temporary one would be gone");
        using M = std::remove_cvref_t<given>;
        return named_member<M, Buffer>{std::string(std::get<2 * I>(all)), &std::get<2 * I + 1>(all)};
    };
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return std::tuple{one(std::integral_constant<std::size_t, I>{})...};
    }(std::make_index_sequence<sizeof...(A) / 2>{});
}

/// What members() of a module returns.
template <class... Named>
struct member_list {
    std::tuple<Named...> all;

    /// With tensors that are saved and loaded with the module but are no parameters.
    template <class... A>
    auto buffers(A&&... names_and_tensors) const {
        return joined(named_members<true>(std::forward<A>(names_and_tensors)...));
    }
    template <class... More>
    friend auto operator+(member_list const& a, member_list<More...> const& b) {
        return a.joined(b.all);
    }

private:
    template <class... More>
    auto joined(std::tuple<More...> more) const {
        return member_list<Named..., More...>{std::tuple_cat(all, std::move(more))};
    }
};

/// `members("weight", weight, "bias", bias)`: names, and members of *this, in the order of the state.
template <class... A>
auto members(A&&... names_and_members) {
    auto const listed = [](auto all) {
        return std::apply([](auto... one) { return member_list<decltype(one)...>{{std::move(one)...}}; }, std::move(all));
    };
    return listed(named_members<false>(std::forward<A>(names_and_members)...));
}

/// It says what its members are.
template <class M>
concept described = requires(M const& m) { m.members().all; };
template <class M>
concept hana_struct = hana::Struct<M>::value;

template <class M>
inline constexpr bool is_tuple = false;
template <class... M>
inline constexpr bool is_tuple<std::tuple<M...>> = true;
template <class A, class B>
inline constexpr bool is_tuple<std::pair<A, B>> = true;
template <class M>
concept listed = requires(M const& m) { m.begin() != m.end(); };
/// A pointer or an optional.
template <class M>
concept holder = requires(M const& m) { static_cast<bool>(m), *m; };
template <class M>
concept text_like = std::convertible_to<M const&, std::string_view>;
/// What has no tensors.
template <class M>
concept plain = std::is_arithmetic_v<M> || std::is_enum_v<M> || text_like<M>;

/// The name of a class template or class, without namespaces and arguments.
template <class M>
constexpr std::string_view name_of_class() {
    std::string_view name = std::source_location::current().function_name();
    name = name.substr(name.find("M = ") + 4);
    name = name.substr(0, name.find_first_of("<;]"));
    return name.substr(name.rfind(':') + 1);
}
template <class M>
constexpr text member_complaint() {
    if (std::is_trivially_copyable_v<M>) return {};
    return core::concat("gradus::nn: a member of a module is neither a tensor nor a module: it is of class ", name_of_class<M>(),
                        ". Give that a function members(), or describe it by BOOST_HANA_DEFINE_STRUCT");
}

/// Calls f(name, member, std::bool_constant<buffer>) for each direct member of a module, a list or a holder; the name of what stands
/// in a holder is empty.
template <class M, class F>
void for_each_member(M const& m, F const& f) {
    if constexpr (described<M>) {
        auto const list = m.members();
        std::apply(
            [&](auto const&... one) {
                (f(one.name, *one.value, std::bool_constant<std::remove_cvref_t<decltype(one)>::is_buffer>{}), ...);
            },
            list.all);
    } else if constexpr (hana_struct<M>) {
        hana::unpack(hana::accessors<M>(),
                     [&](auto const&... one) { (f(std::string(hana::first(one).c_str()), hana::second(one)(m), std::false_type{}), ...); });
    } else if constexpr (is_tuple<M>) {
        int i = 0;
        std::apply([&](auto const&... one) { (f(std::to_string(i++), one, std::false_type{}), ...); }, m);
    } else if constexpr (listed<M>) {
        int i = 0;
        for (auto const& one : m) f(std::to_string(i++), one, std::false_type{});
    } else if constexpr (holder<M> && !std::is_empty_v<M>) {
        if (static_cast<bool>(m)) f(std::string(), *m, std::false_type{});
    } else {
        core::report<&member_complaint<M>>();
    }
}

/// Calls f(m) for the module and all modules inside of it, those inside first: as PyTorch's Module.apply does.
template <class M, class F>
void apply(M const& m, F const& f) {
    if constexpr (!core::is_tensor<M> && !std::is_same_v<M, any_tensor> && !std::is_same_v<M, training_mode> && !plain<M>) {
        for_each_member(m, [&f](std::string const&, auto const& one, auto) { nn::apply(one, f); });
        if constexpr (std::is_class_v<M> && !listed<M> && !is_tuple<M> && !(holder<M> && !described<M>)) f(m);
    }
}

}  // namespace gradus::inline GRADUS_ARCH::nn
