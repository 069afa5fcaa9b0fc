// SPDX-License-Identifier: BSL-1.0
#pragma once

// Users call their globals what they like: g++ must not take the library's own names for shadows of them. -Wshadow -Werror is the test.
// Names that the C library has, such as index, y1 or gamma, are nobody's.
inline constexpr int a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0, j = 0, k = 0, l = 0, m = 0, n = 0, o = 0, p = 0, q = 0,
                     r = 0, s = 0, t = 0, u = 0, v = 0, w = 0, x = 0, y = 0, z = 0;
inline constexpr int A = 0, B = 0, C = 0, D = 0, E = 0, F = 0, G = 0, H = 0, I = 0, J = 0, K = 0, L = 0, M = 0, N = 0, O = 0, P = 0, Q = 0,
                     R = 0, S = 0, T = 0, U = 0, V = 0, W = 0, X = 0, Y = 0, Z = 0;
inline constexpr int value = 0, values = 0, data = 0, size = 0, count = 0, rank = 0, axis = 0, name = 0, text = 0, first = 0, last = 0,
                     left = 0, right = 0, top = 0, in = 0, out = 0, body = 0, result = 0, results = 0, rows = 0, columns = 0, batch = 0,
                     offset = 0, stride = 0, code = 0, node = 0, kernel = 0, group = 0, shape = 0, extent = 0, extents = 0, total = 0,
                     scale = 0, dimensions = 0, arguments = 0, symbols = 0, step = 0, all = 0, more = 0, made = 0, state = 0, type = 0,
                     memory = 0, gradient = 0, base = 0, place = 0, parameters = 0, options = 0, number = 0, share = 0, edge = 0, leaf = 0,
                     item = 0, input = 0, output = 0, loss = 0, error = 0, message = 0, file = 0, path = 0, length = 0, position = 0,
                     begin = 0, end = 0, next = 0, from = 0, to = 0, found = 0, seed = 0, width = 0, height = 0, weight = 0, bias = 0;
