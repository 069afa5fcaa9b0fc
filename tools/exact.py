#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Exact values and first and second derivatives of elementwise operations, for test/kernel/exact.cpp.

exact.py [OPERATION...] > test/golden/exact.txt

A line is an operation's name, its number of operands that are differentiated, the operands, and the results: the value, the first
derivatives, the second ones (aa; aa ab bb), as the nearest doubles. `~` stands for what is not compared. Points that are floats are
tested in float and double, the others in double. Derivatives are differences of values with 2000 digits, closed forms where those
would take minutes.
"""
import sys

from mpmath import mp, mpf

mp.dps = 2000
STEP = mpf(10) ** -300
TINY, HUGE = mpf(2) ** -1075, mpf(2) ** 1024 - mpf(2) ** 970


def sizes():
    """Positive numbers: powers over the exponent range, and where functions saturate, overflow or have a branch."""
    powers = [-149, -140, -127, -126, -110, -90, -70, -60, -50, -40, -33, -27, -24, -20, -16, -12, -9, -7, -5, -4, -3, -2]
    floats = [1.37 * 2.0**k for k in powers[3:]] + [2.0**k for k in powers]
    floats += [
        0.3,
        0.45,
        0.55,
        0.62,
        0.75,
        0.83,
        0.95,
        0.999,
        1 - 2**-24,
        1,
        1 + 2**-23,
        1.001,
        1.2,
        1.4616321,
        1.57,
        1.5707964,
        1.8,
        2,
        2.5,
        3,
        3.1415927,
        4,
        4.5,
        5,
        6,
        7.3,
        8.5,
        9.1,
        10,
        11.5,
        13,
        14.2,
        17,
        19,
        22,
        26,
        30,
        37,
        44,
        52,
        60,
        72,
        86,
        88.5,
        89.5,
        95,
        103,
        110,
        300,
        1000.3,
        65536.5,
        1e6,
        3e8,
        1e10,
        1e13,
        1e16,
        1.8e19,
        2e19,
        1e22,
        1e25,
        1e30,
        3e33,
        1e36,
        1e38,
        3.4e38,
    ]
    doubles = [2.0**k for k in (-1074, -1060, -1030, -1022, -1000, -800, -600, -510, -400, -300, -200)]
    doubles += [
        1 - 2**-53,
        1 - 2**-40,
        1 + 2**-52,
        1 + 2**-40,
        1.5707963267948966,
        3.141592653589793,
        0.1,
        0.7,
        1.1,
        5.3,
        21.7,
        33.3,
        38.6,
        150.1,
        350.7,
        600.3,
        705.9,
        709.5,
        711.2,
        740.1,
        760.0,
        1e12,
        1e45,
        1e77,
        1e100,
        1e120,
        1e150,
        1.4e154,
        1e160,
        1e200,
        1e250,
        1e300,
        1.7e308,
    ]
    return sorted({as_float(x) for x in floats} | set(doubles))


def as_float(x):
    import struct

    return struct.unpack("f", struct.pack("f", x))[0]


def rounded(x):
    """The nearest double, as text."""
    if x is None:
        return "~"
    if x == 0 or abs(x) < TINY:
        return "0"
    if abs(x) >= HUGE:
        return "inf" if x > 0 else "-inf"
    text = repr(float(x))
    return text[:-2] if text.endswith(".0") else text


def derivatives(f, x):
    """Value, first and second derivatives by central differences."""
    h = [STEP * min(1, abs(a)) if a else STEP for a in x]

    def at(*moves):
        return f(*[a + m * s for a, m, s in zip(x, moves, h)])

    if len(x) == 1:
        low, y, high = at(-1), at(0), at(1)
        return [y, (high - low) / (2 * h[0]), (high - 2 * y + low) / h[0] ** 2]
    y, a0, a1, b0, b1 = at(0, 0), at(-1, 0), at(1, 0), at(0, -1), at(0, 1)
    mixed = (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / (4 * h[0] * h[1])
    return [y, (a1 - a0) / (2 * h[0]), (b1 - b0) / (2 * h[1]), (a1 - 2 * y + a0) / h[0] ** 2, mixed, (b1 - 2 * y + b0) / h[1] ** 2]


EVERY = [s * x for x in sizes() for s in (-1, 1)] + [0.0]
POSITIVE = [x for x in EVERY if x > 0]
NONZERO = [x for x in EVERY if x]
INSIDE = [x for x in EVERY if abs(x) < 1]
UNIT = [x for x in POSITIVE if x < 1]


def sigmoid(x):
    return 1 / (1 + mp.exp(-x)) if x > 0 else mp.exp(x) / (1 + mp.exp(x))


def softplus(x):
    return mp.log1p(mp.exp(-abs(x))) + max(x, 0)


def tanh(x):
    return mp.tanh(x) if abs(x) < 1 else (1 if x > 0 else -1) * (1 - 2 / (mp.exp(2 * abs(x)) + 1))


def erfc(x):
    return mp.erfc(x) if abs(x) < 70 else mpf(0 if x > 0 else 2)


def erf(x):
    return mp.erf(x) if abs(x) < 70 else mpf(1 if x > 0 else -1)


def erfcx(x):
    if x < -1e4:
        return mpf(10) ** 100000
    if x < 1e4:
        return mp.exp(x * x) * mp.erfc(x)
    total = term = mpf(1)
    n = 0
    while abs(term) > mpf(10) ** -mp.dps and n < 1000:
        n += 1
        term *= -(2 * n - 1) / (2 * x * x)
        total += term
    return total / (x * mp.sqrt(mp.pi))


def ndtr(x):
    return erfc(-x / mp.sqrt(2)) / 2


def cbrt(x):
    return mp.cbrt(x) if x > 0 else -mp.cbrt(-x)


def atanh(x):
    return mp.log1p(2 * x / (1 - x)) / 2


def asinh(x):
    return (1 if x > 0 else -1) * mp.log1p(abs(x) + x * x / (1 + mp.sqrt(x * x + 1)))


def logit(x):
    return mp.log(x / (1 - x))


SCALE, ALPHA = mpf("1.0507009873554804934193349852946"), mpf("1.6732632423543772848170429916717")


def gelu_tanh(x):
    return x * sigmoid(2 * mp.sqrt(2 / mp.pi) * (x + mpf("0.044715") * x**3))


def complement(x):
    with mp.workdps(60):
        d = -2 / mp.sqrt(mp.pi) * mp.exp(-x * x)
        return [erfc(x), d, -2 * x * d]


def log_ndtr(x):
    with mp.workdps(900):
        z = -x / mp.sqrt(2)
        if z > 1e3:
            total = term = mpf(1)
            for n in range(1, 150):
                term *= -(2 * n - 1) / (2 * z * z)
                total += term
            y = total / (z * mp.sqrt(mp.pi))
        else:
            y = mp.exp(z * z) * mp.erfc(z) if z > -1e3 else None
        r = mp.sqrt(2 / mp.pi) / y if y else mpf(0)
        value = mp.log(y / 2) - x * x / 2 if z > 0 else mp.log1p(-mp.erfc(-z) / 2) if x < 25 else -mp.erfc(-z) / 2 if x < 60 else mpf(0)
        return [value, r, -r * (x + r)]


def erfinv(x):
    with mp.workdps(80):
        y = mp.erfinv(x)
        d = mp.sqrt(mp.pi) / 2 * mp.exp(y * y)
        return [y, d, 2 * y * d * d]


def gamma_family(n):
    def all_of(x):
        with mp.workdps(60):

            def value(k):
                return mp.re(mp.loggamma(x)) if k < 0 else mp.psi(k, x)

            if n < 0 and x < 0:
                return [mp.log(abs(mp.gamma(x))) if x > -1e4 else None, mp.psi(0, x), mp.psi(1, x)]
            return [value(n), value(n + 1), value(n + 2)]

    return all_of


def select_points(points, keep):
    return [x for x in points if keep(x)]


UNARY = {
    "neg": (lambda x: -x, EVERY),
    "abs": (abs, NONZERO),
    "square": (lambda x: x * x, EVERY),
    "exp": (mp.exp, EVERY),
    "exp2": (lambda x: mpf(2) ** x, EVERY),
    "expm1": (mp.expm1, EVERY),
    "log": (mp.log, POSITIVE),
    "log2": (lambda x: mp.log(x) / mp.log(2), POSITIVE),
    "log10": (lambda x: mp.log(x) / mp.log(10), POSITIVE),
    "log1p": (mp.log1p, select_points(EVERY, lambda x: x > -1)),
    "sqrt": (mp.sqrt, POSITIVE),
    "rsqrt": (lambda x: 1 / mp.sqrt(x), POSITIVE),
    "cbrt": (cbrt, NONZERO),
    "reciprocal": (lambda x: 1 / x, NONZERO),
    "sin": (mp.sin, EVERY),
    "cos": (mp.cos, EVERY),
    "tan": (mp.tan, EVERY),
    "asin": (mp.asin, INSIDE),
    "acos": (mp.acos, INSIDE),
    "atan": (mp.atan, EVERY),
    "sinh": (mp.sinh, EVERY),
    "cosh": (mp.cosh, EVERY),
    "tanh": (tanh, EVERY),
    "asinh": (asinh, EVERY),
    "acosh": (lambda x: mp.log1p(x - 1 + mp.sqrt((x - 1) * (x + 1))), select_points(EVERY, lambda x: x > 1)),
    "atanh": (atanh, INSIDE),
    "sigmoid": (sigmoid, EVERY),
    "logsigmoid": (lambda x: -softplus(-x), EVERY),
    "softplus": (softplus, NONZERO),
    "logit": (logit, UNIT),
    "relu": (lambda x: max(x, 0), NONZERO),
    "silu": (lambda x: x * sigmoid(x), EVERY),
    "mish": (lambda x: x * tanh(softplus(x)), NONZERO),
    "gelu": (lambda x: x * ndtr(x), EVERY),
    "gelu_tanh": (gelu_tanh, EVERY),
    "elu": (lambda x: x if x > 0 else mp.expm1(x) * mpf("1.5"), NONZERO),
    "selu": (lambda x: SCALE * x if x > 0 else SCALE * ALPHA * mp.expm1(x), NONZERO),
    "erf": (erf, EVERY),
    "erfcx": (erfcx, select_points(EVERY, lambda x: x > -1e4)),
    "ndtr": (ndtr, EVERY),
}
CLOSED = {
    "erfc": (complement, EVERY),
    "log_ndtr": (log_ndtr, EVERY),
    "erfinv": (erfinv, INSIDE),
    "lgamma": (
        gamma_family(-1),
        [x for x in POSITIVE if x < 1e300] + [-0.3, -0.5, -1.25, -2.5, -3.75, -7.5, -30.125, -1e-3, -1e-10, -100.5],
    ),
    "digamma": (
        gamma_family(0),
        [x for x in POSITIVE if x < 1e300] + [-0.25, -0.5, -1.25, -2.5, -3.75, -7.5, -30.125, -1e-3, -1e-10, -100.5],
    ),
    "trigamma": (gamma_family(1), [x for x in POSITIVE if x < 1e300] + [-0.25, -0.5, -1.25, -2.5, -3.75, -7.5, -30.125]),
    "polygamma_2": (gamma_family(2), [x for x in POSITIVE if x < 1e300]),
}


def grid(a, b, keep=lambda a, b: True):
    return [(as_float(x), as_float(y)) for x in a for y in b if keep(as_float(x), as_float(y))]


def wide(signs=(1, -1), zero=False):
    return [s * x for x in (3e-38, 1.1e-20, 4e-10, 0.02, 0.7, 1, 3.3, 40, 1e5, 3e12, 1e25, 2e38) for s in signs] + ([0] if zero else [])


def extreme(points):
    """The same in double, far outside of the floats."""
    return points + [(x * 10.0 ** (6 * s if abs(x) > 1e4 or abs(x) < 1e-3 else 0), y) for s in (-40, 40) for x, y in points[::7] if x]


def doubles(*points):
    return [tuple(map(float, p)) for p in points]


FAR = doubles(
    (3e-200, 4e-200),
    (3e200, 4e200),
    (1e-310, 3e-310),
    (1e-300, 1),
    (1, 1e-300),
    (-2e300, 1e300),
    (1e154, -1e154),
    (1e-160, 5e-162),
    (1e300, 1e-300),
    (5e-324, 1e-320),
)
SPREAD = grid(wide(), wide())
REAL = [s * x for x in (1e-30, 1e-7, 0.01, 0.6, 1.7, 9, 16, 30, 88, 104, 1e3, 1e20) for s in (1, -1)]
PROBABILITY = [1e-30, 1e-10, 1e-4, 0.2, 0.5, 0.8, 0.999, 1 - 2**-20, 1 - 2**-24]


def floor(x):
    return mp.floor(x)


def fmod(a, b):
    return a - b * (floor(a / b) if a / b > 0 else mp.ceil(a / b))


def bce(p, y):
    return -(y * max(mp.log(p), -100) + (1 - y) * max(mp.log1p(-p), -100))


def logaddexp(a, b):
    return max(a, b) + mp.log1p(mp.exp(-abs(a - b)))


def huber(d, delta):
    return d * d / 2 if abs(d) <= delta else delta * (abs(d) - delta / 2)


BINARY = {
    "mul": (lambda a, b: a * b, SPREAD[::5]),
    "div": (lambda a, b: a / b, SPREAD + FAR),
    "atan2": (mp.atan2, SPREAD + FAR),
    "hypot": (lambda a, b: mp.sqrt(a * a + b * b), SPREAD + FAR),
    "pow": (
        lambda a, b: a**b,
        grid(wide((1,)), [-40, -3, -2, -1.5, -1, -0.5, -0.01, -1e-10, 1e-20, 1e-7, 0.3, 0.5, 1, 1.5, 2, 3, 7.5, 100])
        + doubles((1e-200, 0.7), (1e200, -1.2), (0.999999, 1e7), (1 + 2.0**-52, 1e15), (3, 0), (0.2, 0), (7, -300), (1e-150, 2.5)),
    ),
    "logaddexp": (logaddexp, grid(REAL, REAL, lambda a, b: abs(max(a, b) + mp.log1p(mp.exp(-abs(mpf(a) - b)))) > 0.05 and a != b)),
    "xlogy": (lambda a, b: a * mp.log(b), grid(wide()[::3], wide((1,)) + [0.9999, 1.0001])),
    "xlog1py": (lambda a, b: a * mp.log1p(b), grid(wide()[::3], wide((1,)) + [-0.9999, -1e-6, -0.3])),
    "fmod": (fmod, grid(wide()[4:18:3], [0.3, -7.7, 11111])),
    "copysign": (lambda a, b: abs(a) * (1 if b > 0 else -1), SPREAD[::9]),
    "mse_loss": (lambda a, b: (a - b) ** 2, SPREAD[::5]),
    "huber_loss": (lambda a, b: huber(a - b, mpf(1)), grid(wide(), [0.31, -5])),
    "smooth_l1_loss": (lambda a, b: huber(a - b, mpf(1)), grid(wide(), [0.31, -5])),
    "binary_cross_entropy": (bce, grid(PROBABILITY, [0.25, 0.9])),
    "binary_cross_entropy_with_logits": (lambda x, y: softplus(x) - x * y, grid(REAL, [0, 0.25, 1])),
    "kl_div": (lambda a, b: b * (mp.log(b) - a), grid([-100, -20, -3, -0.3, -1e-4], [1e-30, 1e-3, 0.2, 0.7, 0.99])),
}


def main():
    chosen = sys.argv[1:]
    for name, (f, points) in UNARY.items():
        for x in points if not chosen or name in chosen else []:
            print(name, 1, *map(rounded, [mpf(x), *derivatives(f, [mpf(x)])]))
    for name, (f, points) in CLOSED.items():
        for x in points if not chosen or name in chosen else []:
            print(name, 1, *map(rounded, [mpf(x), *f(mpf(x))]))
    for name, (f, points) in BINARY.items():
        for p in points if not chosen or name in chosen else []:
            x = [mpf(a) for a in p]
            print(name, 2, *map(rounded, [*x, *derivatives(f, x)]))


if __name__ == "__main__":
    main()
