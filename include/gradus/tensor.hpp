// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/tensor/any/in_place.hpp>
#include <gradus/tensor/any/operations.hpp>
#include <gradus/tensor/any/several_results.hpp>
#include <gradus/tensor/any/statement.hpp>
#include <gradus/tensor/autograd/autograd.hpp>
#include <gradus/tensor/autograd/captured_program.hpp>
#include <gradus/tensor/autograd/checkpoint.hpp>
#include <gradus/tensor/autograd/context.hpp>
#include <gradus/tensor/autograd/function.hpp>
#include <gradus/tensor/autograd/vmap.hpp>
#include <gradus/tensor/autograd/with_update.hpp>
#include <gradus/tensor/state/any_factories.hpp>
#include <gradus/tensor/state/any_tensor.hpp>
#include <gradus/tensor/state/conversion.hpp>
#include <gradus/tensor/state/draw.hpp>
#include <gradus/tensor/state/expression.hpp>
#include <gradus/tensor/state/factories.hpp>
#include <gradus/tensor/state/guides.hpp>
#include <gradus/tensor/state/leaves.hpp>
#include <gradus/tensor/state/let.hpp>
#include <gradus/tensor/state/mode.hpp>
#include <gradus/tensor/state/print.hpp>
#include <gradus/tensor/state/random_factories.hpp>
#include <gradus/tensor/state/reference.hpp>
#include <gradus/tensor/state/state.hpp>
#include <gradus/tensor/state/storage.hpp>
#include <gradus/tensor/state/tensor.hpp>
#include <gradus/tensor/state/values.hpp>
#include <gradus/tensor/tape/accumulate.hpp>
#include <gradus/tensor/tape/anomaly.hpp>
#include <gradus/tensor/tape/control.hpp>
#include <gradus/tensor/tape/engine.hpp>
#include <gradus/tensor/tape/evaluate.hpp>
#include <gradus/tensor/tape/hooks.hpp>
#include <gradus/tensor/tape/program_call.hpp>
#include <gradus/tensor/tape/recorded.hpp>
#include <gradus/tensor/tape/region.hpp>
#include <gradus/tensor/tape/run_backward.hpp>
#include <gradus/tensor/tape/saved.hpp>
#include <gradus/tensor/tape/second_order.hpp>
#include <gradus/tensor/tape/stack.hpp>
#include <gradus/tensor/tape/tape.hpp>
#include <gradus/tensor/tape/tape_program.hpp>
#include <gradus/tensor/tape/unselected.hpp>
#include <gradus/tensor/view/concatenate.hpp>
#include <gradus/tensor/view/counting.hpp>
#include <gradus/tensor/view/drawn_in_place.hpp>
#include <gradus/tensor/view/in_place.hpp>
#include <gradus/tensor/view/index.hpp>
#include <gradus/tensor/view/index_range.hpp>
#include <gradus/tensor/view/indexed_write.hpp>
#include <gradus/tensor/view/indexing.hpp>
#include <gradus/tensor/view/masked.hpp>
#include <gradus/tensor/view/view.hpp>

#pragma GCC diagnostic pop
