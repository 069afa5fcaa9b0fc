// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>

#include <cstddef>
#include <cstdint>

// The numbers that decide how programs are cut, with the reason of each: sizes of caches that today's processors share, and bounds on what
// the compiler is asked for. Each was taken with the programs of bench/ on Zen 4, Zen 5 and Xeon (docs/performance.md). None changes a
// result by more than the order in which sums are added.
namespace gradus::inline GRADUS_ARCH::core::target {

// ---- memory

inline constexpr std::int64_t cache_line = 64;  ///< bytes, and the alignment of everything that vectors load
/// Blocks of memory of so many bytes and more are kept for the next of their size; malloc is quick with smaller ones.
inline constexpr std::int64_t cached_block = 512;
/// Bytes that a thread keeps at most, unless it says otherwise: some six tensors of 10^7 floats.
inline constexpr std::int64_t cache_limit = 256 << 20;
/// Bytes of rows that a kernel walks over at a time: the first cache has 32 KiB at least, a quarter is for everything else.
inline constexpr std::int64_t rows_in_first_cache = 24 * 1024;
/// Bytes of one matrix that the second cache keeps beside another: half of 1 MiB.
inline constexpr std::int64_t half_of_second_cache = 512 * 1024;
/// Rows that are a multiple of this many bytes apart fall into the same few places of the first cache.
inline constexpr std::int64_t page = 4096;
/// Scratch memory of static programs up to so many bytes is on the stack, whose default size for threads is 8 MiB, 128 KiB with musl.
inline constexpr std::int64_t scratch_on_stack = 16 * 1024;
/// Larger static arrays live on the heap, so that nobody overflows a stack by declaring a layer.
inline constexpr std::int64_t array_in_place = 16 * 1024;
/// Elements of a partial sum that are on the stack.
inline constexpr std::int64_t sums_on_stack = 512;

// ---- products (K. Goto, R. van de Geijn, Anatomy of high-performance matrix multiplication, 2008)

inline constexpr std::int64_t product_rows = 64;         ///< rows of A that stay in the second cache
inline constexpr std::int64_t product_row_bytes = 8192;  ///< of B, whose panels stay in the third
/// Rows of B that are so many bytes apart are packed: next to each other, one line of memory leads the processor to the following.
inline constexpr std::int64_t packed_row_bytes = 512;
/// The depth from which on A is packed: before, the copy costs more than it saves.
inline constexpr std::int64_t packed_depth = 128;
/// Bytes of a packed panel of B: half of the first cache, which is 32 KiB, 48 KiB where AVX-512 is.
constexpr std::int64_t panel_bytes(int vector_bytes) { return vector_bytes == 64 ? 32768 : 16384; }
/// Rows of the register tile: two vectors each, of 32 registers with AVX-512 and 16 without.
constexpr int tile_rows(int vector_bytes) { return vector_bytes == 64 ? 8 : vector_bytes == 32 ? 6 : 4; }
/// A product has code for its extents where they are at most so many, and the two of B together.
inline constexpr std::int64_t small_extent = 1024, small_matrix = 10240;
/// From so many multiplications on, a microsecond of them, a product's code is a function that all of its extents share.
inline constexpr std::int64_t shared_product = 32768;

// ---- windows

/// Bytes of what a block of results of a convolution reads, with the zeros around: a part of the second cache.
inline constexpr std::int64_t window_band = 128 * 1024;
/// Results that a gradient of weights sums over before sums leave the registers, each of them in lanes.
inline constexpr std::int64_t window_positions = 1024;

// ---- loops

/// So many terms are added plainly: their sum is within 1e-6 in float. Longer sums are added with what rounding takes from them.
inline constexpr std::int64_t plain_terms = 64;
/// Loops of up to so many elements have their extents in their code; larger ones share the code of all sizes.
inline constexpr std::int64_t fixed_elements = 4096;
/// Innermost rows of fewer elements are part of the code, whatever is around them.
inline constexpr std::int64_t fixed_row = 64;
/// Rows of up to so many elements are summed without partial sums in memory.
inline constexpr std::int64_t short_row = 512;
/// Vectors per step of a loop whose body has so many instructions: long bodies fill the registers by themselves.
constexpr int unroll(int body) { return body > 24 ? 1 : body > 8 ? 2 : 4; }
/// Rows that end together are unrolled where each has up to so many instructions.
inline constexpr int unrolled_rows = 24;
/// A chain of scalars is computed wherever it is used as long as it is so short: each used twice by the next, it would double with each.
inline constexpr int inlined_scalars = 64;
/// Arrays that are put together from single elements are stored element by element up to so many: a Jacobian of 16 by 16.
inline constexpr std::int64_t assembled_elements = 256;
/// Columns that a loop over instances stores side by side: a Jacobian of 6 by 7, and one that is as large again.
inline constexpr std::int64_t assembled_columns = 64;
/// A first axis of so many numbers counts instances, which vectors go along: some vectors of the widest registers.
inline constexpr std::int64_t instances = 32;
/// Arrays that are made of single elements are computed as such up to so many elements where processors are quick with one, up to fewer
/// where a function is called for each, up to more where most terms of a sum are zeros, as those of gradients are.
inline constexpr std::int64_t expanded_elements = 16, expanded_functions = 4, expanded_sum = 64;
/// And what they are computed of, up to a vector of doubles.
inline constexpr std::int64_t expanded_near = 8;
/// So many instructions of a program come of them at most: the compiler's work grows with their number.
inline constexpr std::int64_t expanded_instructions = 2048;
/// A program of so few kernels, each of so few elements, is one function: calls would cost as much as the work.
inline constexpr int tiny_kernels = 8;
inline constexpr std::int64_t tiny_elements = 64;
/// Up to so many pairs of arguments are compared by code of their own, which for more would be longer than a program.
inline constexpr int unrolled_pairs = 16;
/// Values that every row reads count as short up to so many elements.
inline constexpr std::int64_t shared_elements = 4096;
/// Rows of a block are a multiple of this: no vector and no tile ends inside.
inline constexpr std::int64_t block_of_rows = 16;
/// Rows that a kernel takes at a time where each is of so many bytes.
constexpr std::int64_t rows_at_a_time(std::int64_t bytes) {
    std::int64_t const rows = bytes > 0 ? rows_in_first_cache / bytes / block_of_rows * block_of_rows : 0;
    return rows > block_of_rows ? rows : block_of_rows;
}

// ---- the loop interpreter

/// Bytes of values of one block, on the stack: the first cache.
inline constexpr std::int64_t blocks_on_stack = 32 * 1024;
inline constexpr std::int64_t longest_block = 1024;  ///< elements; longer ones save less than a hundredth
inline constexpr std::int64_t block_multiple = 16;   ///< elements: the widest vector of floats

// ---- threads

/// Less than so many operations, some ten microseconds of them, are not worth a second thread.
inline constexpr std::int64_t worth_threads = 1 << 20;
/// A backward pass inside of a backward pass takes about 2 KB of the stack (g++ -O0 to -O2), beside what the user's functions
/// between them take; this many of them share a stack.
inline constexpr int passes_per_stack = 256;

// ---- statements on tensors of which only run time knows the types

/// Programs of one operation that are kept, for as many types and shapes: some 10 KB each, and a millisecond to make again.
inline constexpr int statements_of_operation = 64;

// ---- the compiler's work

/// Clang bounds the steps of one evaluation (2^20). Graphs of more nodes than the first are optimized in three evaluations. Statements on
/// tensors of at most the second are differentiated and optimized in one: up to 30000 steps a node of the statement (running maxima).
inline constexpr int nodes_of_long_evaluation = 160, nodes_of_one_step = 24;

}  // namespace gradus::inline GRADUS_ARCH::core::target

namespace gradus::inline GRADUS_ARCH::core {
/// Bytes, up to the end of a cache line.
template <class Integer>
constexpr Integer whole_lines(Integer bytes) {
    constexpr Integer line = target::cache_line;
    return (bytes + line - 1) / line * line;
}
}  // namespace gradus::inline GRADUS_ARCH::core

namespace gradus::inline GRADUS_ARCH::kernel {
namespace target = core::target;
}
