# SPDX-License-Identifier: BSL-1.0
"""Fits a damped oscillation to noisy data with functions that gradus compiled: by the Gauss-Newton method, and by SciPy where it is installed."""
import functools

import numpy as np
import oscillation

truth = np.array([2.0, 0.3, 4.0])
t = np.linspace(0.0, 8.0, 400)
y = oscillation.curve(t=t, p=truth) + 0.05 * np.random.default_rng(1).normal(size=t.size)
start = np.array([1.0, 0.1, 3.8])

p = start.copy()
for step in range(6):
    r, jacobian = oscillation.residuals(t=t, y=y, p=p)
    p -= np.linalg.lstsq(jacobian, r, rcond=None)[0]
    print(f"step {step}: misfit {np.mean(r * r):.6f}, p = {np.round(p, 4)}")

try:
    from scipy.optimize import minimize
except ImportError:
    print("SciPy is not installed")
else:
    misfit = functools.partial(oscillation.misfit, t=t, y=y)
    found = minimize(misfit, start, jac=True, method="BFGS")
    print(f"SciPy: misfit {found.fun:.6f}, p = {np.round(found.x, 4)}, {found.nfev} evaluations")
    assert np.allclose(found.x, p, atol=1e-4), "two methods, two minima"

assert np.allclose(p, truth, atol=0.02), "far from the truth, whose error is some 0.05 / sqrt(400)"
value, gradient = oscillation.misfit(p, t=t, y=y)
assert np.abs(gradient).max() < 1e-6, "the gradient is zero at the minimum"
