// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/hash.hpp>
#include <gradus/kernel/block.hpp>

#include <array>

namespace gradus::inline GRADUS_ARCH::kernel {

/// The block functions of one operation, by the dtype that it works on.
struct block_entry {
    std::uint64_t id = 0;
    block_function of[static_cast<int>(dtype::number) + 1]{};
};
template <class Op, int... D>
constexpr block_entry block_entry_of(std::integer_sequence<int, D...>) {
    return {core::type_id<Op>, {block_function_of<Op, static_cast<dtype>(D)>()...}};
}
/// Those of a list of operations, for programs that are made at run time.
template <class List>
inline constexpr auto block_table = 0;
template <template <class...> class List, class... Op>
inline constexpr auto block_table<List<Op...>> =
    std::array<block_entry, sizeof...(Op)>{block_entry_of<Op>(std::make_integer_sequence<int, static_cast<int>(dtype::number) + 1>{})...};

}  // namespace gradus::inline GRADUS_ARCH::kernel
