// SPDX-License-Identifier: BSL-1.0
// expect: gradus::nn: a member of a module is neither a tensor nor a module: it is of class scale. Give that a function members(), or describe it by BOOST_HANA_DEFINE_STRUCT
#include <gradus.hpp>

namespace gr = gradus;

struct scale {
    gr::tensor<float, 2> weight;
#ifndef GRADUS_FAIL
    auto members() const { return gr::nn::members("weight", weight); }
#endif
};
struct net {
    scale first;
    auto members() const { return gr::nn::members("first", first); }
};

int main() { return static_cast<int>(gr::nn::parameters(net{}).size()); }
