// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/compiler_vector.hpp>
#include <gradus/kernel/contract.hpp>
#include <gradus/kernel/contract/blocking.hpp>
#include <gradus/kernel/contract/pack.hpp>
#include <gradus/kernel/contract/tile.hpp>
#include <gradus/kernel/contract/vector.hpp>
#include <gradus/kernel/linear_algebra.hpp>
#include <gradus/kernel/loop.hpp>
#include <gradus/kernel/loop_description.hpp>
#include <gradus/kernel/loop_facts.hpp>
#include <gradus/kernel/math/arch.hpp>
#include <gradus/kernel/math/error_function.hpp>
#include <gradus/kernel/math/exponential.hpp>
#include <gradus/kernel/math/hyperbolic.hpp>
#include <gradus/kernel/math/lanes.hpp>
#include <gradus/kernel/math/logarithm.hpp>
#include <gradus/kernel/math/trigonometric.hpp>
#include <gradus/kernel/move.hpp>
#include <gradus/kernel/reduce.hpp>
#include <gradus/kernel/registers.hpp>
#include <gradus/kernel/simd.hpp>
#include <gradus/kernel/sort.hpp>
