// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/pass/access.hpp>
#include <gradus/pass/backward.hpp>
#include <gradus/pass/dead_code.hpp>
#include <gradus/pass/decisions.hpp>
#include <gradus/pass/differentiate.hpp>
#include <gradus/pass/exponentials.hpp>
#include <gradus/pass/fuse.hpp>
#include <gradus/pass/fuse_rows.hpp>
#include <gradus/pass/materialize.hpp>
#include <gradus/pass/pipeline.hpp>
#include <gradus/pass/plan_memory.hpp>
#include <gradus/pass/rebuild.hpp>
#include <gradus/pass/reciprocals.hpp>
#include <gradus/pass/rule/algebra.hpp>
#include <gradus/pass/rule/contractions.hpp>
#include <gradus/pass/rule/products.hpp>
#include <gradus/pass/rule/stable.hpp>
#include <gradus/pass/rule/views.hpp>
#include <gradus/pass/schedule.hpp>
#include <gradus/pass/simplify.hpp>
#include <gradus/pass/softmax.hpp>
#include <gradus/pass/vectorize.hpp>
#include <gradus/pass/widen.hpp>
