// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>

// The error of a point in a picture and its Jacobian, by hand: rotation (angle and axis), translation, point and camera (focal lengths,
// centre, distortion).

struct observation {
    double const *rotation, *translation, *point, *camera, *seen;
};
/// What both results need.
struct projected {
    double cosine, sine, inverse, axis[3], dot, along, across[3], depth, u, v, square, slope, distortion;
    [[gnu::always_inline]] explicit projected(observation const& o) {
        double const *w = o.rotation, *x = o.point, angle_of = std::sqrt(w[0] * w[0] + w[1] * w[1] + w[2] * w[2]);
        cosine = std::cos(angle_of), sine = std::sin(angle_of), inverse = 1 / angle_of;
        for (int i = 0; i < 3; ++i) axis[i] = w[i] * inverse;
        dot = axis[0] * x[0] + axis[1] * x[1] + axis[2] * x[2], along = dot * (1 - cosine);
        double y[3];
        for (int i = 0; i < 3; ++i) {
            int const j = (i + 1) % 3, k = (i + 2) % 3;
            across[i] = axis[j] * x[k] - axis[k] * x[j];
            y[i] = x[i] * cosine + across[i] * sine + axis[i] * along + o.translation[i];
        }
        depth = 1 / y[2], u = y[0] * depth, v = y[1] * depth, square = u * u + v * v;
        slope = o.camera[4] + o.camera[5] * square, distortion = 1 + square * slope;
    }
};
inline void errors_by_hand(observation const& o, double* e) {
    projected const q(o);
    e[0] = o.camera[0] * q.distortion * q.u + o.camera[2] - o.seen[0];
    e[1] = o.camera[1] * q.distortion * q.v + o.camera[3] - o.seen[1];
}
inline void jacobian_by_hand(observation const& o, double* all) {
    projected const q(o);
    double const *x = o.point, *a = q.axis, turn = 1 - q.cosine;
    for (int which = 0; which < 2; ++which) {
        double *j = all + 15 * which, focal = o.camera[which], scaled = focal * (which ? q.v : q.u),
               by_square = scaled * (q.slope + q.square * o.camera[5]);
        double const gu = 2 * q.u * by_square + (which ? 0 : focal * q.distortion),
                     gv = 2 * q.v * by_square + (which ? focal * q.distortion : 0);
        double const g[3] = {gu * q.depth, gv * q.depth, -(gu * q.u + gv * q.v) * q.depth};
        double const by_along = g[0] * a[0] + g[1] * a[1] + g[2] * a[2], by_dot = by_along * turn;
        double const by_cosine = g[0] * x[0] + g[1] * x[1] + g[2] * x[2] - by_along * q.dot;
        double const by_sine = g[0] * q.across[0] + g[1] * q.across[1] + g[2] * q.across[2];
        double by_axis[3], by_angle = by_sine * q.cosine - by_cosine * q.sine;
        for (int i = 0; i < 3; ++i) {
            int const k = (i + 1) % 3, l = (i + 2) % 3;
            by_axis[i] = g[i] * q.along + by_dot * x[i] + q.sine * (g[l] * x[k] - g[k] * x[l]);
            by_angle -= by_axis[i] * a[i] * q.inverse;
            j[3 + i] = g[i];
            j[6 + i] = g[i] * q.cosine + by_dot * a[i] + q.sine * (g[k] * a[l] - g[l] * a[k]);
        }
        for (int i = 0; i < 3; ++i) j[i] = by_axis[i] * q.inverse + by_angle * a[i];
        j[9] = which ? 0 : q.distortion * q.u, j[10] = which ? q.distortion * q.v : 0;
        j[11] = 1 - which, j[12] = which;
        j[13] = scaled * q.square, j[14] = scaled * q.square * q.square;
    }
}
