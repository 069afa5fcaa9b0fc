// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/shape.hpp>

namespace gradus::inline GRADUS_ARCH::kernel {

inline constexpr std::int64_t at_run_time = -1;

/// What an instruction of a loop does: an operation by its number in the list, or one of these.
enum special : std::int16_t { load = -1, constant = -2, index = -3, size = -4, reduced = -5 };

/// r[i] = op(r[a], r[b], r[c]). load: a is the input; index: a is the axis; size: a counts the sizes given at run time;
/// reduced: a is the output whose final value is meant (epilogue only).
struct instruction {
    std::int16_t op = 0;
    std::int16_t a = -1, b = -1, c = -1;
    dtype type = dtype::number;
    double value = 0;
    constexpr bool operator==(instruction const&) const = default;
};

enum class fold : std::uint8_t { none, sum, amax, epilogue };

/// What leaves a loop: r[source] for every element, folded over some axes, or once at the end.
struct loop_output {
    std::int16_t source = 0;
    dtype type = dtype::number;
    fold how = fold::none;
    bool stored = true;      ///< false: only the epilogue reads it
    std::uint32_t axes = 0;  ///< folded axes of the loop, a bit each
    std::int32_t columns = 1;  ///< elements from one result to the next: results of several outputs stand side by side
};

template <int Axes>
struct loop_input {
    dtype type = dtype::number;
    std::int64_t stride[Axes]{};  ///< in elements; at_run_time where the caller says
    /// Along an axis with begin < end the memory is that of the indices begin .. end-1, and the value 0 elsewhere.
    std::int64_t begin[Axes]{}, end[Axes]{};
    constexpr bool has_window(int axis) const { return end[axis] > 0; }
    constexpr bool has_window() const {
        for (std::int64_t e : end)
            if (e > 0) return true;
        return false;
    }
};

/// A fused loop as a template argument: equal loops are compiled once, whatever program they are in. Axes are already
/// merged where memory allows, the last one is vectorised.
template <int Instructions, int Inputs, int Outputs, int Axes>
struct loop_description {
    static constexpr int instruction_count = Instructions, input_count = Inputs, output_count = Outputs, axis_count = Axes;
    instruction code[Instructions]{};
    loop_input<Axes> inputs[Inputs + 1]{};
    loop_output outputs[Outputs]{};
    std::int64_t extents[Axes]{};  ///< at_run_time where the caller says
    int body = 0;                  ///< instructions from here on are the epilogue
    bool short_rows = false;       ///< an innermost extent that the caller says has at most `target::short_row` elements
};

/// What a loop gets at run time: memory, and whatever its description leaves open.
struct loop_arguments {
    void const* const* in;
    void* const* out;
    std::int64_t const* extents;  ///< per axis
    std::int64_t const* strides;  ///< per input and axis
    double const* sizes;
    void* const* partial =
        nullptr;  ///< per output: where sums over outer axes take shape, twice the elements within the outermost of these axes; may be null
};

}  // namespace gradus::inline GRADUS_ARCH::kernel
