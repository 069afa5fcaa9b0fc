// SPDX-License-Identifier: BSL-1.0
// All that users include, behind globals that are called what users call them. layers.py sees that the list is complete.
#include "globals.hpp"

// clang-format off: from what needs nothing on, so that each has to be quiet by itself
#include <gradus/core.hpp>
#include <gradus/op.hpp>
#include <gradus/expr.hpp>
#include <gradus/graph.hpp>
#include <gradus/graph/interpret.hpp>
#include <gradus/transform.hpp>
#include <gradus/lower.hpp>
#include <gradus/schedule.hpp>
#include <gradus/kernel.hpp>
#include <gradus/exec.hpp>
#include <gradus/program.hpp>
#include <gradus/tensor.hpp>
#include <gradus/tensor/autograd/pullback.hpp>
#include <gradus/tensor/functional.hpp>
#include <gradus/tensor/gradcheck.hpp>
#include <gradus/nn.hpp>
#include <gradus/optim.hpp>
#include <gradus/optim/lbfgs.hpp>
#include <gradus/optim/mixed_precision.hpp>
#include <gradus/optim/strong_wolfe.hpp>
#include <gradus.hpp>
#include <gradus/io.hpp>
#include <gradus/data.hpp>
#if __has_include(<nlohmann/json.hpp>)
#include <gradus/io/safetensors.hpp>
#include <gradus/io/safetensors_header.hpp>
#endif
#if __has_include(<zlib.h>)
#include <gradus/io/zlib.hpp>
#endif
#if __has_include(<oneapi/tbb.h>)
#include <gradus/exec/onetbb.hpp>
#endif
#ifdef _OPENMP
#include <gradus/exec/openmp.hpp>
#endif
#if __has_include(<mpi.h>)
#include <gradus/dist.hpp>
#endif
#if __has_include(<Python.h>) && __has_include(<pybind11/numpy.h>)
#include <gradus/python.hpp>
#endif
#if __has_include(<Eigen/Dense>)
#include <gradus/optim/least_squares.hpp>
#include <gradus/optim/trust_region.hpp>
#include <gradus/tensor/eigen.hpp>
#include <gradus/tensor/eigen_sparse.hpp>
#endif
// clang-format on

// What is instantiated behind globals of these names is in names.cpp and tensor_names.cpp: g++ judges by where the text stands.
int every_header() { return GRADUS_VERSION; }
