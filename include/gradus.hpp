// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core.hpp>
#include <gradus/op.hpp>
#include <gradus/expr.hpp>
#include <gradus/graph.hpp>
#include <gradus/pass.hpp>
#include <gradus/kernel.hpp>
#include <gradus/program.hpp>
#include <gradus/tensor.hpp>
#include <gradus/nn.hpp>
#include <gradus/optim.hpp>
#include <gradus/control.hpp>
