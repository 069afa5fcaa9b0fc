// SPDX-License-Identifier: BSL-1.0
// What including gradus is compared with: xsimd and the Hana headers it uses.
#include <boost/hana/bool.hpp>
#include <boost/hana/integral_constant.hpp>
#include <boost/hana/tuple.hpp>

#include <xsimd/xsimd.hpp>

int main() {}
