// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/schedule/fuse.hpp>
#include <gradus/schedule/fuse_rows.hpp>
#include <gradus/schedule/plan_memory.hpp>
#include <gradus/schedule/schedule.hpp>
#include <gradus/schedule/schedule_kernels.hpp>

#pragma GCC diagnostic pop
