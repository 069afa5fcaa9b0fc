// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/dist/all_reduce.hpp>
#include <gradus/dist/collectives.hpp>
#include <gradus/dist/communicator.hpp>
#include <gradus/dist/distributed_data_parallel.hpp>
#include <gradus/dist/distributed_sampler.hpp>
#include <gradus/dist/gradient_buckets.hpp>
#include <gradus/dist/mpi.hpp>
#include <gradus/dist/reduction.hpp>
#include <gradus/dist/zero_redundancy_optimizer.hpp>

#pragma GCC diagnostic pop
