// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/optim/adagrad.hpp>
#include <gradus/optim/adam.hpp>
#include <gradus/optim/average.hpp>
#include <gradus/optim/lion.hpp>
#include <gradus/optim/optimizer.hpp>
#include <gradus/optim/rmsprop.hpp>
#include <gradus/optim/schedule.hpp>
#include <gradus/optim/sgd.hpp>
#include <gradus/optim/state.hpp>

#pragma GCC diagnostic pop
