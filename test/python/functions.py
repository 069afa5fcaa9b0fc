# SPDX-License-Identifier: BSL-1.0
"""The functions of module.cpp against NumPy: values, memory, messages. Python finds the module by PYTHONPATH."""
import gc
import inspect
import sys
import threading
import unittest
import weakref

import gradus_test as g
import numpy as np

random = np.random.default_rng(1)


def layer():
    x = random.normal(size=(7, 5)).astype(np.float32)
    y = (random.random((7, 3)) > 0.5).astype(np.float32)
    w = random.normal(size=(5, 3)).astype(np.float32)
    return {"x": x, "y": y, "w": w, "b": np.zeros(3, np.float32)}


def by_hand(x, y, w, b):
    """In double."""
    x, y, w, b = (v.astype(np.float64) for v in (x, y, w, b))
    z = x @ w + b
    slope = (1 / (1 + np.exp(-z)) - y) / z.size
    return np.mean(np.logaddexp(0, z) - z * y), x.T @ slope, slope.sum(0)


class Programs(unittest.TestCase):
    def test_results(self):
        given = layer()
        got = g.gradients(**given)
        self.assertIsInstance(got, tuple)
        self.assertIs(type(got[0]), float)
        for a, b in zip(got, by_hand(**given)):
            np.testing.assert_allclose(a, b, rtol=2e-6, atol=1e-7)  # float against double: some ulp of sums of 7 to 21 terms
        for result, shape in zip(got[1:], [(5, 3), (3,)]):
            self.assertEqual((result.shape, result.dtype), (shape, np.float32))
            self.assertTrue(result.flags.writeable and result.flags.c_contiguous and result.flags.aligned)

    def test_results_have_memory_of_their_own(self):
        given = layer()
        first, second = g.gradients(**given)[1], g.gradients(**given)[1]
        kept = second.copy()
        first += 1
        np.testing.assert_array_equal(second, kept)
        view, gone = first[1:], weakref.ref(first)
        del first
        gc.collect()
        self.assertEqual(view.shape, (4, 3))
        view += 1  # under a sanitizer: the memory is still there

    def test_updates_in_place(self):
        given = layer()
        w, b = given["w"], given["b"]
        before = w.copy()
        _, dw, db = by_hand(**given)
        self.assertIsNone(g.train(**given, rate=0.5))
        np.testing.assert_allclose(w, before - 0.5 * dw, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(b, -0.5 * db, rtol=1e-5, atol=1e-7)
        loss = g.train_and_tell(**given, rate=0.5)
        self.assertIs(type(loss), float)
        # a part of a larger array, whose elements follow each other
        many = np.stack([before, before])
        g.train(**given | {"w": many[1]}, rate=0.5)
        np.testing.assert_array_equal(many[0], before)
        self.assertFalse((many[1] == before).all())

    def test_numbers(self):
        given = layer()
        for rate in (0, 1, True, 0.5, np.float64(0.5), np.float32(0.5), np.int64(1), np.array(0.5, np.float32)):
            g.train(**given, rate=rate)
        for rate in ("1", 1j, None, [0.5], np.array(0.5)):
            with self.assertRaises(TypeError):
                g.train(**given, rate=rate)

    def test_element_types(self):
        for dtype in (np.bool_, np.int32, np.int64, np.float16, np.float32, np.float64):
            call = getattr(g, "kind_" + np.dtype(dtype).name)
            v, total = np.array([0, 1, 1], dtype), np.zeros((), dtype)
            array, number = call(v=v, s=dtype(1), total=total)
            both = np.logical_and(v, True) if dtype is np.bool_ else v + dtype(1)
            np.testing.assert_array_equal(array, both)
            self.assertEqual((array.dtype, total, number), (np.dtype(dtype), 1, v.any() if dtype is np.bool_ else 2))
            self.assertIs(type(number), {"b": bool, "i": int, "f": float}[np.dtype(dtype).kind])
            with self.assertRaisesRegex(TypeError, "element types differ"):
                call(v=v.astype(np.uint8), s=dtype(1), total=total)
            with self.assertRaisesRegex(TypeError, "total"):
                call(v=v, s=dtype(1), total=1)  # there is nothing to update
        with self.assertRaisesRegex(TypeError, "no such number"):
            g.kind_int32(v=np.zeros(1, np.int32), s=2**31, total=np.zeros((), np.int32))
        with self.assertRaisesRegex(TypeError, "no such number"):
            g.kind_int64(v=np.zeros(1, np.int64), s=1.0, total=np.zeros((), np.int64))

    def test_sizes_by_name(self):
        row = np.arange(3.0)
        np.testing.assert_array_equal(g.copies(row=row, times=4), np.tile(row, (4, 1)))
        self.assertEqual(g.copies(row=row, times=0).shape, (0, 3))
        for times in (-1, 2.0, "3"):
            with self.assertRaisesRegex(TypeError, "times = size"):
                g.copies(row=row, times=times)
        with self.assertRaisesRegex(TypeError, "no argument tells dimension times: pass times = size"):
            g.copies(row=row)
        inner, outer = np.ones(4), np.arange(6.0)
        self.assertEqual(g.of_inner(inner=inner), 24)  # k is 6, by "k - 2"
        self.assertEqual(g.of_inner(inner=inner, k=6), 24)
        self.assertEqual(g.of_both(outer=outer, inner=inner), 10)
        with self.assertRaisesRegex(ValueError, "dimension k - 2 is 3"):
            g.of_both(outer=outer[:5], inner=inner)
        with self.assertRaisesRegex(ValueError, "k - 2"):
            g.of_inner(inner=inner, k=7)

    def test_no_elements(self):
        given = layer()
        loss = g.gradients(**given | {"x": given["x"][:0], "y": given["y"][:0]})[0]
        self.assertTrue(np.isnan(loss))  # the mean of nothing

    def test_document(self):
        self.assertEqual(str(inspect.signature(g.train)), "(*, w, rate, x, b, y)")
        self.assertEqual(str(inspect.signature(g.of_inner)), "(*, inner, k=None)")
        self.assertEqual(
            g.train_and_tell.__doc__,
            "x: float32[batch,5]\nw: float32[5,3], updated in place\nb: float32[3]\ny: float32[batch,3]\nrate: float32\nreturns float",
        )
        self.assertTrue(g.gradients.__doc__.startswith("The loss and its derivatives.\n\nx: float32[batch,5]\n"))
        self.assertTrue(g.gradients.__doc__.endswith("returns float, float32[5,3], float32[3]"))

    def test_the_lock_is_released(self):
        done, gate = [], threading.Lock()
        gate.acquire()

        def other():
            with gate:
                done.append(True)

        interval = sys.getswitchinterval()
        thread = threading.Thread(target=other)
        thread.start()
        sys.setswitchinterval(1000)  # nobody is asked to give the lock back
        try:
            gate.release()
            g.power(m=np.eye(200))  # tens of milliseconds
            self.assertTrue(done)
        finally:
            sys.setswitchinterval(interval)
            thread.join()

    def test_references(self):
        given = layer()
        before = [sys.getrefcount(v) for v in given.values()]
        for _ in range(10):
            g.gradients(**given)
            with self.assertRaises(ValueError):
                g.gradients(**given | {"b": np.zeros(4, np.float32)})
            with self.assertRaises(TypeError):
                g.gradients(**given | {"b": None})
        self.assertEqual([sys.getrefcount(v) for v in given.values()], before)


class Refusals(unittest.TestCase):
    def refused(self, error, message, **changed):
        given = layer() | {"rate": 0.1}
        given = {name: value for name, value in (given | changed).items() if value is not None}
        before = given["w"].copy()
        with self.assertRaises(error) as caught:
            g.train_and_tell(**given)
        self.assertIn(message, str(caught.exception))
        np.testing.assert_array_equal(given["w"], before)  # a failed call changes nothing

    def test_names(self):
        self.refused(TypeError, 'gradus::program: symbol "x" is not bound: x is float[batch,5], write x = data', x=None)
        self.refused(TypeError, 'gradus::program: symbol "z" is not in this program', z=1.0)
        with self.assertRaisesRegex(TypeError, "arguments have names: write x = data"):
            g.train(layer()["x"])

    def test_kinds(self):
        x = layer()["x"]
        self.refused(
            TypeError,
            "gradus::program(x = data): element types differ: x is float[batch,5], the data is float64[7,5]. Pass numpy.asarray(x, dtype=numpy.float32)",
            x=x.astype(float),
        )
        self.refused(TypeError, "the data is >f4[7,5]", x=x.astype(">f4"))
        self.refused(TypeError, "gradus::program(x = data): the data is no numpy.ndarray, but of type list (x is float[batch,5])", x=x.tolist())

    def test_shapes(self):
        given = layer()
        self.refused(
            ValueError,
            "gradus::program(x = data): the data has extent 4 where 5 is expected (x is float[batch,5])."
            " In this call x is float[7,4], w is float[5,3], b is float[3], y is float[7,3], rate is float",
            x=given["x"][:, :4].copy(),
        )
        self.refused(ValueError, "dimension batch is 7 elsewhere and 6 here (y is float[batch,3])", y=given["y"][:6])
        self.refused(ValueError, "the data has shape [5] (x is float[batch,5])", x=given["x"][0])
        self.refused(ValueError, "the data has shape [1] (rate is float)", rate=np.zeros(1, np.float32))
        self.refused(ValueError, "the data has 7 axes", x=np.zeros((1,) * 7, np.float32))

    def test_memory(self):
        given = layer()
        self.refused(
            ValueError,
            "gradus::program(x = data): the elements of this view do not follow each other in memory (x is float[batch,5], the data has shape"
            " [7,5] and strides (4, 28)). Pass numpy.ascontiguousarray(x)",
            x=np.asfortranarray(given["x"]),
        )
        shifted = np.zeros(7 * 5 * 4 + 1, np.uint8)[1:].view(np.float32).reshape(7, 5)
        self.refused(ValueError, "not aligned", x=shifted)
        fixed = given["w"].copy()
        fixed.flags.writeable = False
        self.refused(ValueError, "the data is read-only, but the program updates w (w is float[5,3])", w=fixed)
        both = np.zeros(15, np.float32)
        self.refused(ValueError, "w and x have 20 bytes in common", w=both.reshape(5, 3), x=both[:5].reshape(1, 5), y=given["y"][:1])
        fixed = given["x"].copy()
        fixed.flags.writeable = False
        g.gradients(**given | {"x": fixed})  # what is only read may be read-only


class Objectives(unittest.TestCase):
    def close(self, function, reference, at, **data):
        value, gradient = function(at, **data)
        self.assertIs(type(value), float)
        self.assertEqual((gradient.shape, gradient.dtype), (at.shape, np.float64))
        self.assertAlmostEqual(value, reference(at, **data), delta=1e-12 * abs(value))
        step = 1e-6
        differences = [(reference(at + step * e, **data) - reference(at - step * e, **data)) / (2 * step) for e in np.eye(at.size)]
        np.testing.assert_allclose(gradient, differences, rtol=1e-6, atol=1e-7)  # central differences: step² and eps / step

    def test_expression(self):
        def distance(v, t):
            n = (v.size - 4) // 2
            a, c = v[: 2 * n].reshape(n, 2), v[2 * n]
            return np.square(np.exp(a) - c).sum() + np.square(t @ a.T).sum()

        for size in (4, 6, 14):
            self.close(g.distance, distance, random.normal(size=size), t=random.normal(size=(4, 2)))

    def test_sizes_that_data_tells(self):
        def fitted(v, t):
            q, p = v[: v.size - len(t)], v[v.size - len(t) :]
            return np.square(p @ t).sum() + q.sum()

        for rows, size in ((3, 5), (3, 3), (0, 2)):
            self.close(g.fitted, fitted, random.normal(size=size), t=random.normal(size=(rows, 2)))

    def test_function_of_tensors(self):
        self.close(g.cubes, lambda v: (v**3).sum(), random.normal(size=5))
        with self.assertRaisesRegex(RuntimeError, "gradus::tensor::item"):
            g.refused(np.ones(4))

    def test_refusals(self):
        t = np.ones((4, 2))
        for error, message, call in [
            (ValueError, "the vector has 13 elements where 12 are expected (a is double[n,2], c is double, unused is double[3])", lambda: g.distance(np.ones(13), t=t)),
            (ValueError, "the vector has 3 elements where 4 are expected", lambda: g.distance(np.ones(3), t=t)),
            (ValueError, "the vector has 3 elements where 4 are expected", lambda: g.fitted(np.ones(3), t=t)),
            (ValueError, "the data has shape [7,2] where a vector is expected", lambda: g.distance(np.ones((7, 2)), t=t)),
            (ValueError, "do not follow each other", lambda: g.cubes(np.ones(8)[::2])),
            (ValueError, "the data has extent 1 where 2 is expected (t is double[m,2])", lambda: g.distance(np.ones(8), t=np.ones((4, 1)))),
            (TypeError, "parameters is double[n], the data is float32[8]", lambda: g.distance(np.ones(8, np.float32), t=t)),
            (TypeError, 'symbol "c" is bound twice', lambda: g.distance(np.ones(8), t=t, c=1.0)),
            (TypeError, 'symbol "t" is not bound', lambda: g.distance(np.ones(8))),
            (TypeError, "the vector of parameters comes first", lambda: g.distance(t=t)),
            (TypeError, "the vector of parameters comes first", lambda: g.cubes(np.ones(1), np.ones(1))),
        ]:
            with self.assertRaises(error) as caught:
                call()
            self.assertIn(message, str(caught.exception))

    def test_document(self):
        self.assertEqual(str(inspect.signature(g.distance)), "(parameters, /, *, t)")
        self.assertIn("a is double[n,2], c is double", g.distance.__doc__)
        self.assertEqual(str(inspect.signature(g.cubes)), "(parameters, /)")


if __name__ == "__main__":
    unittest.main()
