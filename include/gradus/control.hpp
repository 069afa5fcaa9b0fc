// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/control/batch.hpp>
#include <gradus/control/bodies.hpp>
#include <gradus/control/cond.hpp>
#include <gradus/control/differentiate.hpp>
#include <gradus/control/expression.hpp>
#include <gradus/control/lower.hpp>
#include <gradus/control/run.hpp>
#include <gradus/control/scan.hpp>
#include <gradus/control/tensor.hpp>
