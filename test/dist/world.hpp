// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../tensor/messages.hpp"

#include <gradus.hpp>
#include <gradus/dist.hpp>

#include <doctest/doctest.h>

// Every rank runs all tests: `mpirun -n 4 test_dist`, and with other numbers of ranks, 1 among them.

namespace ranks {

/// MPI begins once in a program.
inline gradus::dist::communicator const& world() {
    static gradus::dist::communicator const all;
    return all;
}

inline double sum_of_ranks() { return world().size() * (world().size() - 1) / 2.0; }

}  // namespace ranks
