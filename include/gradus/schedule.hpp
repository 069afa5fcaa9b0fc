// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/schedule/fuse.hpp>
#include <gradus/schedule/fuse_rows.hpp>
#include <gradus/schedule/plan_memory.hpp>
#include <gradus/schedule/schedule.hpp>
#include <gradus/schedule/schedule_kernels.hpp>
