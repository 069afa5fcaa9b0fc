// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/nn/activation.hpp>
#include <gradus/nn/attention.hpp>
#include <gradus/nn/clip.hpp>
#include <gradus/nn/convolution.hpp>
#include <gradus/nn/dropout.hpp>
#include <gradus/nn/init.hpp>
#include <gradus/nn/linear.hpp>
#include <gradus/nn/loss.hpp>
#include <gradus/nn/members.hpp>
#include <gradus/nn/module.hpp>
#include <gradus/nn/normalization.hpp>
#include <gradus/nn/parameters.hpp>
#include <gradus/nn/pooling.hpp>
#include <gradus/nn/recurrent.hpp>
#include <gradus/nn/sequential.hpp>
#include <gradus/nn/state_dict.hpp>
#include <gradus/nn/summary.hpp>
#include <gradus/nn/train_step.hpp>

#pragma GCC diagnostic pop
