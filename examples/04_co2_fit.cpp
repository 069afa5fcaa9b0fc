// SPDX-License-Identifier: BSL-1.0
// Fits growth to measured data: carbon dioxide in the air at Mauna Loa, Hawaii, annual means of 1959 to 2023.
//
//     C(t) = level + slope (exp(g (t - 1991)) - 1) / g
//
// is an exponential on a constant background, written so that level (ppm) and slope (ppm per year) are those of 1991: three
// parameters that hardly compensate each other, which both methods like. Least squares, first by gradient descent, then
// by Newton's method with the exact Hessian: a derivative of a derivative, taken by the compiler as well.
//
// Data: Lan, X., P. Tans, K. W. Thoning, NOAA Global Monitoring Laboratory, "Trends in Atmospheric Carbon Dioxide", annual
// mean at Mauna Loa in ppm (micromole per mole of dry air), https://gml.noaa.gov/ccgg/trends/data.html
#include <gradus.hpp>

#include <cmath>
#include <cstdio>
#include <utility>

namespace gr = gradus;
using namespace gr::literals;

constexpr double ppm[] = {315.98, 316.91, 317.64, 318.45, 318.99, 319.62, 320.04, 321.37, 322.18, 323.05, 324.62,  // 1959
                          325.68, 326.32, 327.46, 329.68, 330.19, 331.13, 332.03, 333.84, 335.41, 336.84,          // 1970
                          338.76, 340.12, 341.48, 343.15, 344.87, 346.35, 347.61, 349.31, 351.69, 353.20,          // 1980
                          354.45, 355.70, 356.54, 357.21, 358.96, 360.97, 362.74, 363.88, 366.84, 368.54,          // 1990
                          369.71, 371.32, 373.45, 375.98, 377.70, 379.98, 382.09, 384.02, 385.83, 387.64,          // 2000
                          390.10, 391.85, 394.06, 396.74, 398.81, 401.01, 404.41, 406.76, 408.72, 411.65,          // 2010
                          414.21, 416.41, 418.53, 421.08};                                                         // 2020
constexpr int first_year = 1959;
constexpr int years = static_cast<int>(sizeof(ppm) / sizeof(double));
static_assert(first_year + years - 1 == 2023);

// Scaled so that everything is of the order of 1: time in units of 32 years from 1991, concentrations in 100 ppm.
constexpr double middle = 1991, time_unit = 32, concentration_unit = 100;

constexpr auto t = gr::var<"t", double, years>;
constexpr auto c = gr::var<"c", double, years>;
constexpr auto p = gr::var<"p", double, 3>;  // level, slope, growth rate
constexpr auto level = gr::slice<0, 1>(p);   // extent 1: broadcasts over the years
constexpr auto slope = gr::slice<1, 2>(p);
constexpr auto growth = gr::slice<2, 3>(p);

constexpr auto model = level + slope * gr::expm1(growth * t) / growth;
constexpr auto loss = gr::mse_loss(model, c);
constexpr auto gradient = gr::grad(loss, p);

// The Hessian times a direction: the derivative of the gradient along it, forward mode over reverse mode. Along the three
// unit vectors it gives the three columns.
constexpr auto along = gr::var<"along", double, 3>;
constexpr auto descent = gr::compile(loss, gradient);
constexpr auto curvature = gr::compile(gr::jvp(gradient, p, along));
static_assert(gr::jvp(gradient, p, along).shape() == gr::shape{3});
static_assert(descent.workspace_bytes() <= 4 * 1024 && curvature.workspace_bytes() <= 8 * 1024);  // scratch memory is on the stack

using vector3 = gr::array<double, 3>;

// Solves a x = b by elimination with pivoting; false where the matrix is singular.
static bool solve(double a[3][3], vector3& b) {
    for (int k = 0; k < 3; ++k) {
        int pivot = k;
        for (int i = k + 1; i < 3; ++i)
            if (std::abs(a[i][k]) > std::abs(a[pivot][k])) pivot = i;
        if (std::abs(a[pivot][k]) < 1e-300) return false;
        std::swap(a[k], a[pivot]);
        std::swap(b(k), b(pivot));
        for (int i = 0; i < 3; ++i) {
            if (i == k) continue;
            double const times = a[i][k] / a[k][k];
            for (int j = k; j < 3; ++j) a[i][j] -= times * a[k][j];
            b(i) -= times * b(k);
        }
    }
    for (int k = 0; k < 3; ++k) b(k) /= a[k][k];
    return true;
}

static double length(vector3 const& v) { return std::hypot(v(0), v(1), v(2)); }
static void print_row(int iteration, double value, vector3 const& g, vector3 const& at) {
    std::printf("%9d   %9.6f   %9.1e   %9.3f   %8.4f   %8.5f\n", iteration, std::sqrt(value) * concentration_unit, length(g),
                at(0) * concentration_unit, at(1) * concentration_unit / time_unit, 100 * at(2) / time_unit);
}
static void print_head(char const* title) {
    std::printf("%s\niteration   rms (ppm)   |gradient|  level (ppm)  slope (ppm/a)  g (%% per a)\n", title);
}

int main() {
    gr::array<double, years> when, measured;
    for (int i = 0; i < years; ++i) {
        when(i) = (first_year + i - middle) / time_unit;
        measured(i) = ppm[i] / concentration_unit;
    }
    vector3 const start = {3.5, 0.4, 0.5};  // 350 ppm, 1.25 ppm per year, growing by 1.6 % per year

    print_head("Gradient descent");
    vector3 descended = start;
    for (int i = 0;; ++i) {
        auto const [value, g] = descent(t = when, c = measured, p = descended);
        bool const done = length(g) < 1e-9 || i == 100'000;
        if (done || i == 0 || i == 1 || i == 10 || i == 100 || i == 300 || i == 1000 || i == 3000 || i == 10'000)
            print_row(i, value, g, descended);
        if (done) break;
        for (int k = 0; k < 3; ++k) descended(k) -= 0.4 * g(k);
    }

    print_head("\nNewton's method with the exact Hessian");
    vector3 at = start;
    double rms = 0;
    bool converged = false;
    for (int i = 0; i <= 20 && !converged; ++i) {
        auto const [value, g] = descent(t = when, c = measured, p = at);
        print_row(i, value, g, at);
        rms = std::sqrt(value) * concentration_unit;
        converged = length(g) < 1e-12;
        double hessian[3][3];
        for (int k = 0; k < 3; ++k) {
            vector3 unit{};
            unit(k) = 1;
            auto const [column] = curvature(t = when, c = measured, p = at, along = unit);
            for (int row = 0; row < 3; ++row) hessian[row][k] = column(row);
        }
        vector3 move = g;
        if (!solve(hessian, move)) break;
        for (int k = 0; k < 3 && !converged; ++k) at(k) -= move(k);
    }

    double const g = at(2) / time_unit, background = (at(0) - at(1) / at(2)) * concentration_unit;
    auto const fitted = [&](double year) { return (at(0) + at(1) * std::expm1(g * (year - middle)) / at(2)) * concentration_unit; };
    std::printf("\nlevel in 1991        %8.2f ppm (measured %.2f)\n", fitted(1991), ppm[1991 - first_year]);
    std::printf("slope in 1991        %8.3f ppm per year, in 2023 %.3f ppm per year\n", at(1) * concentration_unit / time_unit,
                at(1) * concentration_unit / time_unit * std::exp(g * 32));
    std::printf("growth rate g        %8.3f %% per year: the excess doubles in %.1f years\n", 100 * g, std::log(2) / g);
    std::printf("background           %8.1f ppm\n", background);
    std::printf("rms of the residuals %8.3f ppm\n", rms);
    std::printf("if it goes on, 2030  %8.1f ppm\n", fitted(2030));

    vector3 difference;
    for (int k = 0; k < 3; ++k) difference(k) = at(k) - descended(k);
    bool const right = converged && length(difference) < 1e-6 && rms < 1;
    std::printf("both methods %s\n", right ? "agree" : "DISAGREE, or the fit is bad");
    return right ? 0 : 1;
}
