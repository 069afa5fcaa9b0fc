#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The polynomials of include/gradus/kernel/math/, by Remez's exchange in 50 digits (mpmath): lowest coefficient first, with
the largest weighted error. The weight turns an error of the polynomial into a relative error of the function. The headers have
them to ten digits (the rest depends on the grid), but for the sine, whose coefficients were moved by some ulp afterwards: a
random search for the least largest error as computed."""
from mpmath import atanh, cos, erfc, exp, expm1, log, log1p, lu_solve, matrix, mp, mpf, nstr, pi, polyval, sin, sqrt

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
show(
    "logarithm of double",
    lambda z: ((log1p(sqrt(z)) - log1p(-sqrt(z))) / sqrt(z) - 2) / z,
    "1e-9",
    (high / (2 + high)) ** 2 * mpf("1.001"),
    6,
    lambda z: z / 2,
)

# (sin(r) / r - 1) / r^2 as a polynomial of r^2
for degree in (3, 7):
    show(
        "sine",
        lambda z: (sin(sqrt(z)) / sqrt(z) - 1) / z,
        "1e-9",
        (pi / 2 * mpf("1.005")) ** 2,
        degree,
        lambda z: z * sqrt(z) / sin(sqrt(z)),
    )

# -log(erfc(a)) / a - 1
for degree, most in ((8, "3.93"), (23, "5.93")):
    show("error function", lambda a: -log(erfc(a)) / a - 1, "1e-6", most, degree, lambda a: a * erfc(a) / (1 - erfc(a)))

# (2^r - 1) / r
for degree in (5, 11):
    show("power of 2", lambda r: expm1(r * log(2)) / r, mpf("-0.5005"), mpf("0.5005"), degree, lambda r: r / exp(r * log(2)))


# (log2((1 + s) / (1 - s)) / s - c0 - c1 s^2) / s^4 as a polynomial of s^2, c0 and c1 those of the series
def log2_over_s(z):
    return 2 * atanh(sqrt(z)) / sqrt(z) / log(2)


most = (high / (2 + high)) ** 2 * mpf("1.001")
for degree in (2, 6):
    show(
        "log2", lambda z: ((log2_over_s(z) - 2 / log(2)) / z - 2 / (3 * log(2))) / z, "1e-6", most, degree, lambda z: z * z / log2_over_s(z)
    )


# (1 + b a) exp(a^2) erfc(a) with b = 1 or 2 as base + v (1 - base + w p(q)) or 1 + w p(q): v = 1 / (a + c), w = a v, q = (a - z) v
for degree, b, base, c, z, most in ((11, 1, "0x1.20dd76p-1", 1, 1, "10.1"), (21, 2, "0x1p0", 4, 6, "27.3")):
    base, c, z, most = mpf(float.fromhex(base)), mpf(c), mpf(z), mpf(most)
    a = lambda q: (z + c * q) / (1 - q)
    scaled = lambda a: (1 + b * a) * exp(a * a) * erfc(a)
    factor = lambda a: a / (a + c) if base == 1 else a / (a + c) ** 2
    show(
        "complementary error function",
        lambda q: (scaled(a(q)) - base - (1 - base) / (a(q) + c)) / factor(a(q)),
        mpf("1e-9") - z / c,
        (most - z) / (most + c),
        degree,
        lambda q: factor(a(q)) / scaled(a(q)),
    )
