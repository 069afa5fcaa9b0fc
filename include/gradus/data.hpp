// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/data/data_loader.hpp>
#include <gradus/data/dataset.hpp>
#include <gradus/data/prefetch.hpp>
#include <gradus/data/random_split.hpp>
#include <gradus/data/sampler.hpp>
