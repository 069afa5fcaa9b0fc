// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/data/csv.hpp>
#include <gradus/data/csv_reader.hpp>
#include <gradus/data/data_loader.hpp>
#include <gradus/data/dataset.hpp>
#include <gradus/data/idx.hpp>
#include <gradus/data/prefetch.hpp>
#include <gradus/data/progress.hpp>
#include <gradus/data/random_split.hpp>
#include <gradus/data/sampler.hpp>
