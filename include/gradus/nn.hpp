// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/nn/linear.hpp>
#include <gradus/nn/parameters.hpp>
