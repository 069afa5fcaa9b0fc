// SPDX-License-Identifier: BSL-1.0
#pragma once

/// Bytes that are allocated, as the allocator rounds them; counted while `counting` is set, in the whole process.
struct allocated {
    static inline bool counting = false;
    static inline long bytes = 0, calls = 0;
};
