// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/data/csv.hpp>
#include <gradus/data/csv_reader.hpp>
#include <gradus/data/data_loader.hpp>
#include <gradus/data/dataset.hpp>
#include <gradus/data/idx.hpp>
#include <gradus/data/prefetch.hpp>
#include <gradus/data/progress.hpp>
#include <gradus/data/random_split.hpp>
#include <gradus/data/sampler.hpp>

#pragma GCC diagnostic pop
