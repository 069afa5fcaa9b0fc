#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The polynomials of include/gradus/kernel/math/, by Remez's exchange in 50 digits (mpmath): lowest coefficient first, with
the largest weighted error. The weight turns an error of the polynomial into a relative error of the function. The headers have
them to ten digits (the rest depends on the grid), but for the sine, whose coefficients were moved by some ulp afterwards: a
random search for the least largest error as computed."""
from mpmath import cos, erfc, exp, expm1, log, log1p, lu_solve, matrix, mp, mpf, nstr, pi, polyval, sin, sqrt

mp.dps = 50
GRID = 1001  # odd: no point in the middle, where a weight may be 0


def minimax(f, low, high, degree, weight):
    """The polynomial p for which max |weight * (f - p)| on [low, high] is least."""
    points = [(low + high) / 2 - (high - low) / 2 * cos(pi * i / GRID) for i in range(GRID + 1)]
    values, weights = [f(x) for x in points], [weight(x) for x in points]
    count = degree + 2
    nodes = [round(GRID * (2 * i + 1) / (2 * count)) + 3 for i in range(count)]
    for _ in range(25):
        a, b = matrix(count, count), matrix(count, 1)
        for row, i in enumerate(nodes):
            for power in range(degree + 1):
                a[row, power] = points[i] ** power
            a[row, degree + 1] = (-1) ** row / weights[i]
            b[row] = values[i]
        solution = lu_solve(a, b)
        p = list(solution[: degree + 1])
        errors = [w * (v - polyval(p[::-1], x)) for x, v, w in zip(points, values, weights)]
        extrema = []  # one for each run of a sign
        for i, e in enumerate(errors):
            if not extrema or (e > 0) != (errors[extrema[-1]] > 0):
                extrema.append(i)
            elif abs(e) > abs(errors[extrema[-1]]):
                extrema[-1] = i
        while len(extrema) > count:
            extrema.pop(0 if abs(errors[extrema[0]]) < abs(errors[extrema[-1]]) else -1)
        worst = max(abs(e) for e in errors)
        if len(extrema) < count or worst < abs(solution[degree + 1]) * mpf("1.0005"):
            break
        nodes = extrema
    return p, worst


def show(name, f, low, high, degree, weight=lambda x: mpf(1)):
    p, worst = minimax(f, mpf(low), mpf(high), degree, weight)
    print(f"{name}, degree {degree}, error 2^{float(log(worst, 2)):.2f}:\n  " + ", ".join(nstr(c, 20) for c in p), flush=True)


# (e^r - 1 - r) / r^2
half_log2 = log(2) / 2 * mpf("1.002")
for degree in (4, 9):
    show("exponential", lambda r: (expm1(r) - r) / r**2, -half_log2, half_log2, degree, lambda r: r * r / exp(r))

# (log(1 + f) - f) / f^2, and (2 atanh(s) - 2 s) / s^3 as a polynomial of s^2
low, high = sqrt(mpf(1) / 2) - 1, sqrt(2) - 1
show("logarithm of float", lambda f: (log1p(f) - f) / f**2, low, high, 8, lambda f: f * f / log1p(f))
show("logarithm of double", lambda z: ((log1p(sqrt(z)) - log1p(-sqrt(z))) / sqrt(z) - 2) / z, "1e-9", (high / (2 + high)) ** 2 * mpf("1.001"), 6, lambda z: z / 2)

# (sin(r) / r - 1) / r^2 as a polynomial of r^2
for degree in (3, 7):
    show("sine", lambda z: (sin(sqrt(z)) / sqrt(z) - 1) / z, "1e-9", (pi / 2 * mpf("1.005")) ** 2, degree, lambda z: z * sqrt(z) / sin(sqrt(z)))

# -log(erfc(a)) / a - 1
for degree, most in ((8, "3.93"), (23, "5.93")):
    show("error function", lambda a: -log(erfc(a)) / a - 1, "1e-6", most, degree, lambda a: a * erfc(a) / (1 - erfc(a)))
