// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/nn/init.hpp>
#include <gradus/nn/linear.hpp>
#include <gradus/nn/members.hpp>
#include <gradus/nn/module.hpp>
#include <gradus/nn/parameters.hpp>
#include <gradus/nn/sequential.hpp>
#include <gradus/nn/state_dict.hpp>
#include <gradus/nn/summary.hpp>
