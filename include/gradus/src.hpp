// SPDX-License-Identifier: BSL-1.0
#pragma once

/// Separate compilation: what all programs of a development build share, the passes at run time, the interpreter and second derivatives
/// on the tape, is compiled in one unit, which includes this header, and in no other. All units are compiled with
/// -DGRADUS_SEPARATE_COMPILATION and with the same options.
#include <gradus.hpp>

namespace gradus::inline GRADUS_ARCH::core {

template class executable<void>;
template array_view<kernel::block_entry const> operations_at_run_time<void>();
template void backward_of_derived<void>(tape_node& n, backward_call& call);
template void record_backward<void>(tape_node& n, backward_call& call);
template void find_reads<void>(any_statement<void>& s);

}  // namespace gradus::inline GRADUS_ARCH::core
