// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

// graph/interpret.hpp, the oracle of the tests, stays out: it costs every user the time of <map> and <functional>.
#include <gradus/graph/batch.hpp>
#include <gradus/graph/build.hpp>
#include <gradus/graph/check.hpp>
#include <gradus/graph/control.hpp>
#include <gradus/graph/control_facts.hpp>
#include <gradus/graph/derive.hpp>
#include <gradus/graph/frozen.hpp>
#include <gradus/graph/graph.hpp>
#include <gradus/graph/info.hpp>
#include <gradus/graph/inspect.hpp>
#include <gradus/graph/print.hpp>
#include <gradus/graph/render.hpp>
#include <gradus/graph/results.hpp>
#include <gradus/graph/selection.hpp>
#include <gradus/graph/value.hpp>

#pragma GCC diagnostic pop
