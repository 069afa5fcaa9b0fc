// SPDX-License-Identifier: BSL-1.0
#pragma once

// What arch.cpp has in each of its units. Memory crosses their border, types of the library do not.
#define ARCH_JOIN(a, b) a##b
#define ARCH_UNIT(name) ARCH_JOIN(unit_, name)

struct unit {
    int lanes;
    bool (*records)();
    float (*run)(float const* x, int n);
    void (*refuses)();
};
