// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

int main() {}
