// SPDX-License-Identifier: BSL-1.0
// Stands in for torch.cpp where libtorch is not installed.
#include "workload.hpp"

std::vector<workload> torch_workloads() { return {}; }
