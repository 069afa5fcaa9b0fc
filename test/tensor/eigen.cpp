// SPDX-License-Identifier: BSL-1.0
#include <gradus/tensor/eigen.hpp>

#include <doctest/doctest.h>

namespace gr = gradus;

TEST_CASE("as_eigen: is a map of the tensor's memory, by rows") {
    gr::tensor<float, 2, 3> t{{1, 2, 3}, {4, 5, 6}};
    auto m = gr::as_eigen(t);
    static_assert(decltype(m)::RowsAtCompileTime == 2 && decltype(m)::IsRowMajor);
    CHECK(m(0, 2) == 3);
    CHECK(m(1, 0) == 4);
    m(1, 2) = 60;
    CHECK(t(1, 2) == 60);

    gr::tensor<double, gr::dyn, 2> d{{1, 2}, {3, 4}, {5, 6}};
    CHECK(gr::as_eigen(d).rows() == 3);
    CHECK(gr::as_eigen(d).colwise().sum()(1) == 12);
    gr::tensor<float, 3> v{1, 2, 3};
    CHECK(gr::as_eigen(v).squaredNorm() == 14);
    gr::tensor<float, 2, 1> column{1, 2};
    CHECK(gr::as_eigen(column)(1, 0) == 2);
    gr::tensor<float, 1, gr::dyn> row{{1, 2}};
    CHECK(gr::as_eigen(row)(0, 1) == 2);
    CHECK_THROWS_AS(gr::as_eigen(t.t()), gr::error);
}

TEST_CASE("from_eigen: copies matrices of any order, vectors and expressions") {
    Eigen::MatrixXf by_columns(2, 3);
    by_columns << 1, 2, 3, 4, 5, 6;
    gr::tensor t = gr::from_eigen(by_columns);
    static_assert(std::is_same_v<decltype(t), gr::tensor<float, gr::dyn, gr::dyn>>);
    CHECK(t.shape() == gr::shape{2, 3});
    CHECK(t(0, 1) == 2);
    CHECK(t(1, 0) == 4);

    gr::tensor product = gr::from_eigen(by_columns * by_columns.transpose());
    CHECK(product(0, 1) == 4 + 10 + 18);

    Eigen::Matrix<double, 2, 2> const fixed{{1, 2}, {3, 4}};
    gr::tensor f = gr::from_eigen(fixed);
    static_assert(std::is_same_v<decltype(f), gr::tensor<double, 2, 2>>);
    CHECK(f(0, 1) == 2);

    gr::tensor column = gr::from_eigen(Eigen::Vector3f(1, 2, 3));
    static_assert(std::is_same_v<decltype(column), gr::tensor<float, 3>>);
    CHECK(column(2) == 3);
    gr::tensor row = gr::from_eigen(Eigen::RowVectorXf::LinSpaced(3, 1, 3));
    static_assert(std::is_same_v<decltype(row), gr::tensor<float, gr::dyn>>);
    CHECK(row(1) == 2);
}

TEST_CASE("eigen: there and back is the same") {
    gr::tensor<float, 3, 4> t = gr::from_span<float, 3, 4>(std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
    gr::tensor<float, 3, 4> back = gr::from_eigen(gr::as_eigen(t));
    CHECK(back.to_array() == t.to_array());
}
