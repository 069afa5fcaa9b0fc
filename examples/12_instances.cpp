// SPDX-License-Identifier: BSL-1.0
// One function, many instances: inverse kinematics of a 7-joint arm for many targets at once, and gradients of each example of a
// regression.
//
// gr::vmap turns a function of one instance into a function of all of them, as jax.vmap: what is written is one arm, one target, one
// example. gr::jacobian asks for all derivatives at once. Both are expressions like any other: a step of Gauss and Newton's method, with
// its Jacobian, its system of equations and its update, is one program for any number of arms. Below, the Jacobian is compared with the one
// that robotics writes by hand, positions with their targets, and gradients with a loop.
#include <gradus.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <vector>

namespace gr = gradus;
using namespace gr::literals;

// ---- An arm: joint k turns about the z axis of its frame, which stands offset and turned in the frame before.
constexpr int joints = 7;
constexpr auto turned = gr::var<"turned", double, joints, 3, 3>;
constexpr auto offset = gr::var<"offset", double, joints, 3>;
constexpr auto tool = gr::var<"tool", double, 3>;
// the turn of a joint about z is cos flat + sin turn + up
constexpr auto flat = gr::var<"flat", double, 3, 3>;
constexpr auto turn = gr::var<"turn", double, 3, 3>;
constexpr auto up = gr::var<"up", double, 3, 3>;

/// Where the hand is: a loop over the joints, which carries a rotation and a position.
constexpr auto hand_of = [](auto angles) {
    auto const [rotation, position] = gr::scan(
        [](auto carry, auto joint) {
            auto const [r, p] = carry;
            auto const [before, step, angle] = joint;
            auto const about_z = gr::cos(angle) * flat + gr::sin(angle) * turn + up;
            return std::tuple{gr::matmul(gr::matmul(r, before), about_z), p + gr::matmul(r, step)};
        },
        std::tuple{gr::eye<double, 3>, gr::zeros<double, 3>}, std::tuple{turned, offset, angles});
    return position + gr::matmul(rotation, tool);
};

constexpr auto q = gr::var<"q", double, "arms", joints>;
constexpr auto target = gr::var<"target", double, "arms", 3>;

/// Where the hand is, its derivatives by the angles, and angles a damped step nearer to a target: q + J^T (J J^T + 1e-6 I)^-1 (target -
/// hand).
constexpr auto moved = gr::vmap([](auto angles, auto goal) {
    auto const hand = hand_of(angles);
    auto const j = gr::jacobian(hand, angles);
    auto const system = gr::matmul(j, gr::transpose(j)) + gr::eye<double, 3> * 1e-6_c;
    return std::tuple{hand, j, angles + gr::matmul(gr::transpose(j), gr::solve(system, goal - hand))};
})(q, target);
constexpr auto step = gr::compile(std::get<0>(moved), std::get<1>(moved), gr::update(q, std::get<2>(moved)));

struct frames {
    double turned[joints][3][3], offset[joints][3];
};
/// Joints that turn about the z and the y axis in turn, links of decreasing length.
frames described() {
    frames f{};
    for (int k = 0; k < joints; ++k) {
        double const s = k == 0 ? 0 : k % 2 ? 1 : -1;  // a quarter turn about x
        double const r[3][3] = {{1, 0, 0}, {0, k == 0 ? 1.0 : 0.0, -s}, {0, s, k == 0 ? 1.0 : 0.0}};
        std::copy(&r[0][0], &r[0][0] + 9, &f.turned[k][0][0]);
        f.offset[k][k % 2 ? 2 : 1] = 0.3 - 0.03 * k;
    }
    return f;
}

using vector = std::array<double, 3>;
vector cross(vector const& a, vector const& b) { return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]}; }
/// The hand, and its derivative by joint k as robotics knows it: the axis of the joint times the way from it to the hand.
struct kinematics {
    vector hand;
    vector by[joints];
};
kinematics by_hand(frames const& f, double const* angles, vector const& end) {
    double r[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, made[3][3];
    vector p{}, at[joints], axis[joints];
    auto times = [&](double const(*m)[3]) {
        for (int i = 0; i < 3; ++i)
            for (int j = 0; j < 3; ++j) made[i][j] = r[i][0] * m[0][j] + r[i][1] * m[1][j] + r[i][2] * m[2][j];
        std::copy(&made[0][0], &made[0][0] + 9, &r[0][0]);
    };
    for (std::size_t k = 0; k < joints; ++k) {
        for (std::size_t i = 0; i < 3; ++i) p[i] += r[i][0] * f.offset[k][0] + r[i][1] * f.offset[k][1] + r[i][2] * f.offset[k][2];
        times(f.turned[k]);
        for (std::size_t i = 0; i < 3; ++i) at[k][i] = p[i], axis[k][i] = r[i][2];
        double const c = std::cos(angles[k]), s = std::sin(angles[k]), z[3][3] = {{c, -s, 0}, {s, c, 0}, {0, 0, 1}};
        times(z);
    }
    kinematics result;
    for (std::size_t i = 0; i < 3; ++i) result.hand[i] = p[i] + r[i][0] * end[0] + r[i][1] * end[1] + r[i][2] * end[2];
    for (int k = 0; k < joints; ++k) {
        vector way;
        for (std::size_t i = 0; i < 3; ++i) way[i] = result.hand[i] - at[k][i];
        result.by[k] = cross(axis[k], way);
    }
    return result;
}

bool inverse_kinematics() {
    constexpr std::size_t arms = 100;
    frames const f = described();
    vector const end{0.05, 0, 0.1};
    double const F[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 0}}, T[3][3] = {{0, -1, 0}, {1, 0, 0}, {0, 0, 0}},
                 U[3][3] = {{0, 0, 0}, {0, 0, 0}, {0, 0, 1}};
    std::vector<double> angles(arms * joints), goals;
    gr::random source(7);
    for (std::size_t n = 0; n < arms; ++n) {  // targets that can be reached, from nearby
        double there[joints];
        for (int k = 0; k < joints; ++k)
            there[k] = 2 * source.uniform() - 1, angles[n * joints + static_cast<std::size_t>(k)] = there[k] + 0.6 * source.uniform() - 0.3;
        vector const goal = by_hand(f, there, end).hand;
        goals.insert(goals.end(), goal.begin(), goal.end());
    }
    double off = 0, distance = 0;
    for (int iteration = 0; iteration <= 24; ++iteration) {
        std::vector<double> const before = angles;
        auto const [hand, by_angles] = step(turned = f.turned, offset = f.offset, tool = end, flat = F, turn = T, up = U, q = angles,
                                            target = goals, gr::dim<"arms"> = arms);
        distance = 0;
        for (std::size_t n = 0; n < arms; ++n) {
            kinematics const expected = by_hand(f, &before[n * joints], end);
            for (std::size_t i = 0; i < 3; ++i) {
                off = std::max(off, std::abs(hand(n, i) - expected.hand[i]));
                distance = std::max(distance, std::abs(hand(n, i) - goals[n * 3 + i]));
                for (std::size_t k = 0; k < joints; ++k) off = std::max(off, std::abs(by_angles(n, i, k) - expected.by[k][i]));
            }
        }
        if (iteration % 6 == 0) std::printf("step %d: the farthest of %zu hands is %.1g from its target\n", iteration, arms, distance);
    }
    std::printf("hands and Jacobians differ from the geometric ones by at most %.1g\n", off);
    return off < 1e-13 && distance < 1e-12;
}

// ---- The gradient of each example: how much one of them pulls, for clipping, for privacy, for finding what is labelled wrongly.
constexpr auto x = gr::var<"x", double, "examples", 4>;
constexpr auto y = gr::var<"y", double, "examples">;
constexpr auto w = gr::var<"w", double, 4>;
constexpr auto pulls = gr::vmap([](auto example, auto label) {
    auto const z = gr::dot(example, w);
    auto const by_w = gr::grad(gr::softplus(z) - label * z, w);
    return std::pair{by_w, gr::norm(by_w)};
})(x, y);
constexpr auto measure = gr::compile(pulls.first, pulls.second);

bool gradients_of_examples() {
    constexpr std::size_t examples = 500;
    double const W[4] = {1, -2, 0.5, 0.25};
    std::vector<double> X(examples * 4), Y(examples);
    gr::random source(3);
    for (double& e : X) e = source.normal();
    for (std::size_t i = 0; i < examples; ++i) {
        double z = 0;
        for (std::size_t j = 0; j < 4; ++j) z += W[j] * X[i * 4 + j];
        Y[i] = z > 0;
    }
    auto pull_of = [&](std::size_t i, std::size_t j) {
        double z = 0;
        for (std::size_t k = 0; k < 4; ++k) z += W[k] * X[i * 4 + k];
        return (1 / (1 + std::exp(-z)) - Y[i]) * X[i * 4 + j];
    };
    std::size_t const wrong = static_cast<std::size_t>(std::max_element(X.begin(), X.end()) - X.begin()) / 4;
    Y[wrong] = 1 - Y[wrong];
    auto const [by_w, norms] = measure(x = X, y = Y, w = W);
    double off = 0;
    std::size_t strongest = 0;
    for (std::size_t i = 0; i < examples; ++i) {
        if (norms(i) > norms(strongest)) strongest = i;
        for (std::size_t j = 0; j < 4; ++j) off = std::max(off, std::abs(by_w(i, j) - pull_of(i, j)));
    }
    std::printf("%zu examples: gradients differ from a loop's by at most %.1g; the strongest is %zu, which is labelled %s\n", examples, off,
                strongest, strongest == wrong ? "wrongly" : "right");
    return off < 1e-14 && strongest == wrong;
}

int main() {
    bool const arms = inverse_kinematics(), examples = gradients_of_examples();
    return arms && examples ? 0 : 1;
}
