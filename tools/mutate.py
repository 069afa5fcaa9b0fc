#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What do the tests notice? Applies one semantic change at a time to a copy of the tree and runs the tests concerned.

mutate.py --list                 the changes, by number
mutate.py --stale                those that are stale, or whose tests are not there; nothing is compiled
mutate.py [--only N,N-M] [--jobs J] [--compiler C]

A change is killed by a test that does not compile, fails or does not end. Its text must stand exactly once in its file; one that
does not is stale, and the table below is to be mended. Tests are compiled one file each, without optimization. docs/mutation.md
has the last result and the reasons for what survives.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILE_SECONDS, RUN_SECONDS = 600, 120

PLAN, ORDER, ACCESS, LAWS, RULES = (
    ["schedule/plan_memory"],
    ["schedule/schedule", "schedule/plan_memory"],
    ["transform/access"],
    ["law/laws"],
    ["transform/simplify", "law/laws"],
)
# File below include/gradus, what stands there, what takes its place, the tests.
MUTANTS = [
    ("schedule/plan_memory.hpp", "if (b >= 0 && g_[b].type == g_[node].type)", "if (b >= 0)", PLAN),
    ("schedule/plan_memory.hpp", "g_[b].shape == f_.groups[group].domain && memory_", "memory_", PLAN),
    ("schedule/plan_memory.hpp", " || last_[b] != time", "", PLAN),
    ("schedule/plan_memory.hpp", " && memory_.may_overwrite(b, node)) dying_", ") dying_", PLAN),
    ("schedule/plan_memory.hpp", "align) + length > gaps[at].end", "align) > gaps[at].end", PLAN),
    ("schedule/plan_memory.hpp", ".peak = offset + length;", ".peak = offset;", PLAN),
    ("schedule/plan_memory.hpp", "when_[group] > last_[b]", "when_[group] < last_[b]", PLAN),
    ("schedule/plan_memory.hpp", " || f_.epilogue[node]", "", PLAN),
    ("schedule/plan_memory.hpp", " last_[base] = end_;", "", PLAN),
    ("schedule/schedule.hpp", "readers_[symbol_node_[s]] > reads_own_[s]", "readers_[symbol_node_[s]] > 1 + reads_own_[s]", ORDER),
    ("schedule/schedule.hpp", "if (readers_[b] != 1 ||", "if (readers_[b] != 2 ||", ORDER),
    ("schedule/schedule.hpp", "turn_[k] > turn_[writer] || grows", "grows", ORDER),
    ("schedule/schedule.hpp", "            for (int i = 0; i < g_[b].op->arity; ++i) note(g_[b].in[i], r);", "            return;", ORDER),
    ("schedule/schedule.hpp", "!best.blocked && reads_in_place(s)", "reads_in_place(s)", ORDER),
    ("transform/access.hpp", "    result.offset = a.offset;\n", "", ACCESS),
    ("op/shape.hpp", "return {from_axis(attr, axis)};", "return {axis};", ACCESS),
    ("op/shape.hpp", "{source >= 0 && from[source] == to[axis] ? source : -1}", "{source >= 0 ? source : -1}", ACCESS),
    ("transform/access.hpp", "stride * monomial{read.step, 0};", "stride;", ACCESS),
    ("transform/access.hpp", " && from[i] == to[j];", ";", ACCESS),
    ("op/arithmetic.hpp", "if (is<neg>(b)) return a + b.operand(0);", "if (is<neg>(b)) return a - b.operand(0);", RULES),
    ("op/arithmetic.hpp", "if (a.is_constant(0)) return -b;", "if (a.is_constant(0)) return b;", RULES),
    ("op/comparison.hpp", "c.attr().value != 0 ? a : b", "c.attr().value != 0 ? b : a", RULES),
    ("op/arithmetic.hpp", "return -(a.operand(0) / b);", "return a.operand(0) / b;", RULES),
    ("op/arithmetic.hpp", "b.is_constant(2) ? apply<square>(a)", "b.is_constant(3) ? apply<square>(a)", RULES),
    ("op/shape.hpp", "from_axis(x.attr(), from_axis(y.attr(), i))", "from_axis(y.attr(), from_axis(x.attr(), i))", RULES),
    ("op/shape.hpp", "if (from_axis(attr, i) < last) return false;", "if (from_axis(attr, i) < last) return true;", RULES),
    ("op/shape.hpp", "return forward && x.shape() == y.shape();", "return x.shape() == y.shape();", RULES),
    ("op/reduction.hpp", "finite || counted ? one * count :", "finite || counted ? one :", RULES),
    ("transform/rule/elementwise.hpp", " && result.shape == n.shape", "", RULES),
    ("transform/reciprocals.hpp", "divisions[g[old].in[1]] > 1", "divisions[g[old].in[1]] > 2", ["transform/reciprocals"]),
    ("transform/reciprocals.hpp", "below.is_constant() || ", "", ["transform/reciprocals"]),
    ("transform/backward.hpp", "add_derivatives(joint_, cotangent[node], seed[j])", "seed[j]", ["transform/backward"]),
    ("transform/backward.hpp", "gradient = identity_gradient + j;", "gradient = identity_gradient;", ["transform/backward"]),
    ("transform/backward.hpp", "if (needed[i] && !is_cut(i))", "if (needed[i])", ["transform/backward"]),
    ("op/trigonometric.hpp", "return -apply<sin>(x);", "return apply<sin>(x);", LAWS),
    ("op/trigonometric.hpp", "return y * y + 1;", "return y * y - 1;", LAWS),
    (
        "op/exponential.hpp",
        "static constexpr auto derivative(auto, auto y) { return y; }",
        "static constexpr auto derivative(auto, auto y) { return -y; }",
        LAWS,
    ),
    ("op/arithmetic.hpp", "return std::tuple{b, a};", "return std::tuple{a, b};", LAWS),
    ("graph/selection.hpp", "if (p.same_condition(q)) return", "if (p.same_condition(q) && false) return", ["program/untaken"]),
    ("graph/selection.hpp", "if (found()) narrow(g, zero_if_true", "if (!found()) narrow(g, zero_if_true", ["program/untaken"]),
    ("graph/derive.hpp", "return s.again(g, part);", "return part;", ["program/untaken"]),
    ("tensor/tape/accumulate.hpp", "if (from.may_be_unselected) to.may_be_unselected = true;", "", ["tensor/untaken"]),
    ("op/shape.hpp", "k == 1 ? a.shape()[joined] : extent{}", "k == 0 ? a.shape()[joined] : extent{}", LAWS),
    ("op/shape.hpp", "inverse.n[y.attr().n[i]] = i", "inverse.n[i] = y.attr().n[i]", LAWS),
    ("op/shape.hpp", "last >= from[axis].code", "last > from[axis].code", ["fail/slice_out_of_range"]),
    ("op/loss.hpp", "where(a > 0, (1 - b) - rest, rest - b)", "where(a > 0, 1 - b, -b)", ["golden/golden"]),
    ("transform/vectorize.hpp", "        last = source;\n", "", ["law/batching"]),
    ("transform/vectorize.hpp", "order.n[next++] = source + 1;", "order.n[next++] = axis + 1;", ["law/batching"]),
    (
        "program/overlap.hpp",
        "if (Known.copied & known_memory::bit(s)) continue;",
        "if (Known.copied & known_memory::bit(o)) continue;",
        ["program/overlap"],
    ),
    ("op/rounding.hpp", "-(g * apply<round>((a - y) / b))", "g * apply<round>((a - y) / b)", ["golden/golden"]),
    ("op/statistics.hpp", "return in_reverse(in_reverse(x).amax(", "return (in_reverse(x).amax(", ["golden/golden"]),
    (
        "op/statistics.hpp",
        "auto freedom = x.count(attr.n[0]) - attr.value",
        "auto freedom = x.count(attr.n[0]) - 0 * attr.value",
        ["golden/golden"],
    ),
    (
        "kernel/move.hpp",
        "if (candidate > largest || candidate != candidate) best = i;",
        "if (candidate >= largest || candidate != candidate) best = i;",
        ["kernel/move"],
    ),
    ("kernel/move.hpp", "        if (largest != largest) break;\n", "", ["kernel/move"]),
    ("kernel/move.hpp", "from_stride[0] == 1 && to_stride[0] == 1", "from_stride[0] == 1", ["kernel/move"]),
    ("kernel/move.hpp", "if (!last) kept = to;", "if (last) kept = to;", ["kernel/move"]),
    ("kernel/linear_algebra/substitute.hpp", "k = upper ? i + 1 : 0", "k = upper ? i + 2 : 0", ["kernel/linear_algebra"]),
    ("kernel/linear_algebra/cholesky.hpp", "(a(i, j) + a(j, i)) / 2", "a(i, j)", ["kernel/linear_algebra"]),
    ("kernel/linear_algebra/substitute.hpp", "        if (unit) continue;\n", "", ["kernel/linear_algebra"]),
    ("kernel/linear_algebra/lu.hpp", "x > largest) largest = x, pivot = i;", "x > largest) largest = x;", ["kernel/linear_algebra"]),
    ("program/bind.hpp", "if (*known != size) refuse", "if (*known > size) refuse", ["program/bind"]),
    ("program/bind.hpp", "if (raised(root) != each)", "if (false)", ["program/bind"]),
    ("tensor/state/mode.hpp", "~mode_guard() { state().*Mode = before_; }", "~mode_guard() {}", ["tensor/grad_mode"]),
    ("tensor/state/state.hpp", "return requires_grad || static_cast<bool>(node);", "return requires_grad;", ["tensor/leaves"]),
    ("tensor/state/state.hpp", "more.strides[i] = t.extras->strides[i];", "more.strides[i] = 1;", ["tensor/view"]),
]


def run(command, seconds, **options):
    try:
        return subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=seconds, **options
        ).returncode
    except subprocess.TimeoutExpired:
        return "time"


class Tree:
    """A copy of headers and tests, in which one change at a time stands."""

    def __init__(self, directory, compiler):
        self.path, self.compiler = Path(directory), compiler
        for part in ("include", "test"):
            shutil.copytree(ROOT / part, self.path / part)

    def flags(self):
        return [*self.compiler, "-std=c++20", "-O0", "-w", "-Dalways_inline=unused", f"-I{self.path}/include"]

    def fault_of(self, test, main):
        """How the test fails; None if it passes."""
        if test.startswith("fail/"):
            command = [
                sys.executable,
                str(self.path / "test/fail/run.py"),
                str(self.path / f"test/{test}.cpp"),
                *self.compiler,
                f"-I{self.path}/include",
            ]
            return None if run(command, COMPILE_SECONDS) == 0 else "fails"
        program = self.path / "program"
        status = run([*self.flags(), str(self.path / f"test/{test}.cpp"), str(main), "-o", str(program)], COMPILE_SECONDS)
        if status != 0:
            return "does not compile"
        status = run([str(program)], RUN_SECONDS, cwd=self.path, env={**os.environ, "GRADUS_GOLDEN": str(self.path / "test/golden")})
        return None if status == 0 else "does not end" if status == "time" else "fails"

    def judge(self, number, main):
        name, old, new, tests = MUTANTS[number]
        file = self.path / "include/gradus" / name
        text = file.read_text()
        if text.count(old) != 1:
            return "stale", f"its text stands {text.count(old)} times in the file"
        file.write_text(text.replace(old, new))
        try:
            for test in tests:
                if fault := self.fault_of(test, main):
                    return "killed", f"{test} {fault}"
        finally:
            file.write_text(text)
        return "survived", ", ".join(tests)


def stale():
    for number, (name, old, _, tests) in enumerate(MUTANTS):
        file = ROOT / "include/gradus" / name
        found = file.read_text().count(old) if file.exists() else 0
        if found != 1:
            yield f"{shown(number)}: its text stands {found} times in the file"
        yield from (f"{shown(number)}: there is no test/{test}.cpp" for test in tests if not (ROOT / f"test/{test}.cpp").exists())


def selected(text):
    numbers = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def shown(number):
    name, old, new, _ = MUTANTS[number]
    return f"{number:2} {name}: {old.strip()!r} -> {new.strip()!r}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--list", action="store_true")
    arguments.add_argument("--stale", action="store_true")
    arguments.add_argument("--only", type=selected, default=list(range(len(MUTANTS))))
    arguments.add_argument("--jobs", type=int, default=1)
    arguments.add_argument("--compiler", default=os.environ.get("CXX", "g++"))
    arguments.add_argument("--unchanged", action="store_true", help="first see that the tests pass as they are")
    o = arguments.parse_args()
    if o.list:
        print("\n".join(map(shown, range(len(MUTANTS)))))
        return 0
    if o.stale:
        sys.exit("\n".join(stale()) or 0)
    compiler = o.compiler.split()
    with tempfile.TemporaryDirectory() as directory:
        base = Path(directory)
        trees = [Tree(base / str(i), compiler) for i in range(o.jobs)]
        doctest = base / "main.o"
        if run([*trees[0].flags(), "-c", str(ROOT / "test/main.cpp"), "-o", str(doctest)], COMPILE_SECONDS) != 0:
            sys.exit("test/main.cpp does not compile")
        if o.unchanged:
            for test in sorted({test for n in o.only for test in MUTANTS[n][3]}):
                if fault := trees[0].fault_of(test, doctest):
                    sys.exit(f"unchanged, {test} {fault}")
        free = list(trees)

        def work(number):
            tree = free.pop()
            try:
                return number, *tree.judge(number, doctest)
            finally:
                free.append(tree)

        count = dict.fromkeys(("killed", "survived", "stale"), 0)
        with ThreadPoolExecutor(o.jobs) as pool:
            for number, verdict, why in pool.map(work, o.only):
                count[verdict] += 1
                print(f"{verdict:8} {shown(number)}  [{why}]", flush=True)
        print(", ".join(f"{n} {what}" for what, n in count.items()))
        return 1 if count["stale"] else 0


if __name__ == "__main__":
    sys.exit(main())
