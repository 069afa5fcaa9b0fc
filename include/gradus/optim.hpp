// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/optim/adam.hpp>
#include <gradus/optim/optimizer.hpp>
#include <gradus/optim/sgd.hpp>
