#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""docs/reference.md: an entry for every public function of expr/*.hpp.

reference.py write    signature, formula, derivative, shapes and edge rule from the source; examples stay as they are
reference.py check    fails where the document is not what `write` makes of it, an entry has no example or an operation no entry

Formulas are the comments of the functions and of the operations in op/*.hpp, derivatives their code there, edge rules those of
docs/operations.md. What the code does not say in a line, the shapes of the rest, stands below. test/docs.py runs the examples.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs/reference.md"
FILES = [
    ("../op/formula", "Selection"),
    ("functions", "Elementwise operations and losses"),
    ("reductions", "Reductions, scans, losses, normalizations"),
    ("structure", "Shapes, reductions along axes"),
    ("rearrange", "Parts, copies, indices, products"),
    ("sort", "Order"),
    ("linear_algebra", "Matrices"),
    ("convolution", "Convolutions"),
    ("pooling", "Pooling"),
    ("recurrent", "Recurrent networks and dropout"),
    ("derivatives", "Jacobians, Hessians, products with them"),
    ("vmap", "Instances"),
    ("scan", "Loops"),
    ("cond", "Choices"),
    ("while_loop", "Loops that end by a condition"),
    ("custom", "Derivatives of your own"),
    ("implicit", "Equations"),
    ("var", "Symbols"),
]
# Of the lists of op/list.hpp, what no function applies: copies that the compiler makes, what logical_and and others are made of, derivatives.
INTERNAL = {
    "copy",
    "both",
    "either",
    "negation",
    "tanh_slope",
    "tanh_slope_beside",
    "sigmoid_slope",
    "gaussian",
    "mul_no_nan",
    "mul_zeros",
    "straight_through",
    "is_reached",
}
OPERATORS = {("operator-", 1): "neg", ("operator+", 2): "add", ("operator-", 2): "sub", ("operator*", 2): "mul", ("operator/", 2): "div"}
NOT_OPERATIONS = {"operator+", "apply"}

# By the base of the operation, or by the name of the function.
SHAPES_OF_BASE = {
    "unary": "that of x",
    "step_function": "that of x",
    "classification": "that of x, bools",
    "binary": "operands broadcast",
    "pointwise": "operands broadcast",
    "predicate": "operands broadcast, bools",
    "comparison": "operands broadcast, bools",
    "elementwise": "operands broadcast",
    "real_reduction": "without the axes, or with `gr::keepdim` extents of 1 there",
    "extremum": "without the axes, or with `gr::keepdim` extents of 1 there",
    "reduction": "without the axes, or with `gr::keepdim` extents of 1 there",
    "along_axis": "that of x",
    "loss": "operands alike; a scalar",
    "triangle": "[..., i, j], that of x",
    "of_square": "[..., n, n]",
    "normalization": "that of x; scale and shift have the axes that are standardized, or the channels",
}
SHAPES = {
    "matmul": "[..., i, k] and [..., k, j] give [..., i, j]; a vector is a row on the left, a column on the right",
    "cross_entropy": "[..., classes], integers [...] and perhaps [classes]; a scalar",
    "nll_loss": "[..., classes], integers [...] and perhaps [classes]; a scalar",
    "gaussian_nll_loss": "operands alike; a scalar",
    "where": "operands broadcast",
    "grad": "that of the second operand",
    "jvp": "that of the first operand",
    "reshape": "the one asked for, with as many elements",
    "broadcast_to": "the one asked for",
    "transpose": "that of x with its axes in the order asked for",
    "permute": "that of x with its axes in the order asked for",
    "slice": "as many elements along each axis as its range has",
    "concatenate": "alike but for the axis, whose extents add up",
    "cast": "that of x",
    "linear": "[..., in], [out, in] and [out] give [..., out]",
    "scaled_dot_product_attention": "[..., queries, d], [..., keys, d] and [..., keys, e] give [..., queries, e]",
    "any": "without the axes, bools",
    "all": "without the axes, bools",
    "count_nonzero": "without the axes, int64",
    "cumsum": "that of x",
    "cumprod": "that of x",
    "logcumsumexp": "that of x",
    "einsum": "an axis per letter of the result",
    "squeeze": "that of x without axes of extent 1",
    "unsqueeze": "that of x with an axis of extent 1",
    "flatten": "that of x with axes joined",
    "narrow": "that of x but for the axis",
    "select": "that of x without the axis",
    "split": "a tuple",
    "chunk": "a tuple",
    "unbind": "a tuple, without the axis",
    "stack": "that of the operands with an axis more",
    "tile": "extents times copies",
    "pad": "that of x, longer along the axis",
    "flip": "that of x",
    "roll": "that of x",
    "embedding": "[entries, width...] and [i...] give [i..., width...]",
    "index_select": "that of x, along the axis as long as the index",
    "gather": "that of the index",
    "scatter_add": "that of x; index and source alike",
    "diagonal": "a matrix; a vector",
    "diag": "a vector; a matrix, or the other way round",
    "trace": "a matrix; a scalar",
    "outer": "[i] and [j] give [i, j]",
    "dot": "two vectors; a scalar",
    "mv": "[i, j] and [j] give [i]",
    "masked_fill": "operands broadcast",
    "argsort": "that of x, int64",
    "sort": "that of x",
    "topk": "two of that of x, k along the axis",
    "median": "without the axis, a scalar where none is given",
    "cummax": "two of that of x",
    "cummin": "two of that of x",
    "cholesky": "[..., n, n]",
    "solve": "[..., n, n] and [n] or [..., n, k] give the second's",
    "solve_triangular": "[..., n, n] and [n] or [..., n, k] give the second's",
    "det": "[..., n, n] gives [...]",
    "logdet": "[..., n, n] gives [...]",
    "slogdet": "[..., n, n] gives two of [...]",
    "conv1d": "[N, C, l], [out, C / groups, k] and perhaps [out] give [N, out, (l + 2 padding - dilation (k - 1) - 1) / stride + 1]",
    "conv2d": "[N, C, h, w], [out, C / groups, k, k] and perhaps [out]; as conv1d along both axes",
    "conv_transpose2d": "[N, C, h, w], [C, out / groups, k, k] and perhaps [out] give (h - 1) stride - 2 padding + dilation (k - 1) + 1",
    "max_pool2d": "[N, C, h, w] gives (h + 2 padding - size) / stride + 1",
    "avg_pool2d": "[N, C, h, w] gives (h + 2 padding - size) / stride + 1",
    "adaptive_max_pool2d": "[N, C, h, w] gives [N, C, Height, Width]",
    "adaptive_avg_pool2d": "[N, C, h, w] gives [N, C, Height, Width]",
    "dropout": "that of x; the key is a scalar",
    "lstm_cell": "[batch, in], twice [batch, hidden], [4 hidden, in], [4 hidden, hidden], twice [4 hidden] give two of [batch, hidden]",
    "gru_cell": "[batch, in], [batch, hidden], [3 hidden, in], [3 hidden, hidden], twice [3 hidden] give [batch, hidden]",
    "let": "that of what the function returns",
    "update": "the symbol and its new value alike",
    "stop_gradient": "that of x",
    "vjp": "y and the cotangent alike; that of x",
    "jacfwd": "the axes of y, then those of x",
    "jacrev": "the axes of y, then those of x",
    "jacobian": "the axes of y, then those of x",
    "hessian": "a scalar; the axes of x twice",
    "hessian_diagonal": "a scalar; that of x",
    "hvp": "a scalar, x and the vector alike; that of x",
    "value_and_grad": "a scalar; a pair of it and of one like x, or of a tuple",
    "vmap": "that of each result with an axis of instances in front; a tuple or a pair where f returns one",
    "associative_scan": "that of xs",
    "scan": "that of the first carry; beside it that of y with an axis of steps in front",
    "cond": "that of either branch, which are alike",
    "while_loop": "that of init",
    "custom_jvp": "that of f",
    "custom_vjp": "that of f",
    "fixed_point": "that of init",
    "root": "that of init",
}
# Functions whose parameters have no names.
OPERANDS = {
    "let": "function",
    "update": "symbol, value",
    "cond": "predicate, a, b, operands...",
    "associative_scan": "f, xs",
    "while_loop": "condition, body, init",
    "custom_jvp": "f, rule",
    "custom_vjp": "f, forward, backward",
    "fixed_point": "body, init, tolerance, a...",
    "root": "f, init, tolerance, a...",
}
# Where the code of a derivative takes more than a line, and of what is made of others.
DERIVATIVES = dict.fromkeys(
    [
        "argmax",
        "argmin",
        "argsort",
        "any",
        "all",
        "count_nonzero",
        "isnan",
        "isinf",
        "isfinite",
        "logical_and",
        "logical_or",
        "logical_xor",
        "logical_not",
        "comparisons",
        "update",
    ],
    "none",
) | {
    "grad": "of any order",
    "vjp": "of any order",
    "jacfwd": "of any order",
    "jacrev": "of any order",
    "jacobian": "of any order",
    "hessian": "of any order",
    "hessian_diagonal": "of any order",
    "hvp": "of any order",
    "value_and_grad": "of any order",
    "vmap": "that of f for each instance, summed for what f captures",
    "associative_scan": "that of the loop, see scan",
    "scan": "a loop the other way over the carries, which are stored; forward, a loop with their tangents",
    "cond": "that of the branch that ran",
    "while_loop": "forward, a loop with tangents; reverse where there is a bound",
    "custom_jvp": "the rule; reverse, its transpose",
    "custom_vjp": "the rule; forward, its transpose",
    "fixed_point": "(1 - J)⁻ᵀ g through what else the body reads, J its derivative by x",
    "root": "-J⁻ᵀ g through what else f reads, J its derivative by x",
    "jvp": "of any order",
    "let": "that of what it names",
    "ndtr": "exp(-x²/2) / √(2π) g",
    "amax": "g, shared evenly by equal largest elements",
    "amin": "g, shared evenly by equal smallest elements",
    "matmul": "g bᵀ, aᵀ g, summed over axes that were broadcast",
    "concatenate": "the part of g that each operand became",
    "cholesky": "half of l⁻ᵀ Φ(lᵀ g) l⁻¹ and its transpose, Φ the lower triangle with half of the diagonal",
    "mse_loss": "2 (a - b) g / n, by b the negative",
    "binary_cross_entropy_with_logits": "(sigmoid(x) - y) g / n, -x g / n",
    "cross_entropy": "(softmax(x) - 1 at the label) g / rows that count",
    "nll_loss": "-g / rows that count, at the label",
    "l1_loss": "sign(a - b) g / n, by b the negative",
    "huber_loss": "clamp(a - b, -delta, delta) g / n, by b the negative",
    "smooth_l1_loss": "clamp((a - b) / beta, -1, 1) g / n, by b the negative",
    "kl_div": "-b g / rows, (ln b + 1 - a) g / rows",
    "binary_cross_entropy": "(p - y) / (p (1 - p)) g / n where no logarithm is cut",
    "hinge_embedding_loss": "g / n where y is 1, -g / n where it is -1 and x below the margin",
    "gaussian_nll_loss": "(a - b) / v g / n, by b the negative, (1 - (a - b)² / v) / (2 v) g / n",
    "mean": "g / n",
    "prod": "the product of the other elements times g",
    "variance": "2 (x - mean) / (n - 1) g",
    "stddev": "(x - mean) / ((n - 1) y) g",
    "norm": "x |x|ᵖ⁻² / yᵖ⁻¹ g",
    "logsumexp": "softmax(x) g",
    "softmax": "y (g - Σ y g)",
    "log_softmax": "g - softmax(x) Σ g",
    "cumsum": "the sums of g from the end",
    "cumprod": "of the products, without a division",
    "logcumsumexp": "Σ exp(x - yⱼ) gⱼ over the results j that x is in",
    "layer_norm": "(scale g - mean(scale g) - z mean(scale g z)) / σ, Σ g z, Σ g; z is standardized",
    "rms_norm": "(scale g - z mean(scale g z)) / rms, Σ g z; z is x / rms",
    "batch_norm": "as layer_norm, over a channel",
    "group_norm": "as layer_norm, over a group",
    "linear": "g w, gᵀ x, Σ g",
    "scaled_dot_product_attention": "of two products and the softmax between them",
    "einsum": "the einsum of g with the other operand",
    "outer": "g b, gᵀ a",
    "dot": "b g, a g",
    "mv": "g vᵀ, mᵀ g",
    "trace": "g on the diagonal",
    "narrow": "g in its place, zeros elsewhere",
    "split": "each g in its place",
    "chunk": "each g in its place",
    "unbind": "each g in its place",
    "stack": "the part of g that each operand became",
    "pad": "the part of g where x is, the sum of the rest by the number",
    "permute": "g with its axes back in order",
    "flip": "g back in order",
    "roll": "g back in order",
    "tril": "the same triangle of g",
    "triu": "the same triangle of g",
    "diagonal": "g on the diagonal, zeros elsewhere",
    "diag": "g on the diagonal, or the diagonal of g",
    "embedding": "g added to the rows, equal indices add up",
    "index_select": "g added at the indices",
    "gather": "g added at the indices",
    "scatter_add": "g, and its elements at the indices for the source",
    "sort": "g back where the elements were",
    "topk": "g back where the elements were",
    "median": "g where the element was",
    "cummax": "g added where the elements are",
    "cummin": "g added where the elements are",
    "solve": "-z xᵀ, z with aᵀ z = g",
    "solve_triangular": "the triangle of -z xᵀ, z with op(a)ᵀ z = g",
    "inv": "-yᵀ g yᵀ",
    "det": "the cofactors times g",
    "logdet": "a⁻ᵀ g",
    "slogdet": "0 by the sign, a⁻ᵀ g",
    "conv1d": "conv_transpose of g with w, products of g with the windows of x, Σ g",
    "conv2d": "conv_transpose2d of g with w, products of g with the windows of x, Σ g",
    "conv_transpose2d": "conv2d of g with w, products of x with the windows of g, Σ g",
    "max_pool2d": "g where the largest is, the first of equal ones",
    "avg_pool2d": "g / size to all of a window",
    "adaptive_max_pool2d": "g where the largest is, the first of equal ones",
    "adaptive_avg_pool2d": "g / size to all of a window",
    "dropout": "g / (1 - P) where x was kept, 0 elsewhere",
}


def body_at(text, at):
    """What is between the braces that open after `at`."""
    start = text.index("{", at)
    depth, end = 0, start
    while True:
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        if depth == 0:
            return text[start + 1 : end].strip()
        end += 1


def plain(code):
    """Code of an operation as a formula."""
    code = re.sub(r"//.*", "", code)
    code = re.sub(r"using std::[^;]*;|\breturn\b|\bauto (const )?|gradus::|std::tuple", "", code)
    code = re.sub(r"apply<(?:op::)?(\w+(?:<[^<>]*>)?)>", r"\1", code)
    return re.sub(r"\s+", " ", code).strip(" ;")


def comment_before(lines, i):
    said = []
    while i > 0 and (lines[i - 1].lstrip().startswith(("///", "template", "requires"))):
        i -= 1
        if lines[i].lstrip().startswith("///"):
            said.insert(0, lines[i].strip()[3:].strip())
    return " ".join(s for s in said if s)


def operations():
    """Of each operation: what its comment says, its base, its derivative."""
    found = {}
    for path in sorted((ROOT / "include/gradus/op").glob("*.hpp")):
        text = path.read_text()
        lines = text.split("\n")
        for i, line in enumerate(lines):
            match = re.match(r"struct (\w+)(?: : (?:composite, )?(\w+)<?.*)? \{$", line)
            if not match:
                continue
            name, base = match.groups()
            body = body_at(text, text.index(line))
            rule = re.search(r"static constexpr auto (derivative|partials|chain|vjp)\(", body)
            made = re.search(r"static constexpr auto expand\(", body)
            found[name] = {
                "said": comment_before(lines, i),
                "base": base,
                "rule": rule and (rule[1], plain(body_at(body, rule.end()))),
                "made": bool(made),
                "formula": plain(body_at(body, made.end())) if made else None,
                "eval": (lambda e: e and plain(body_at(body, e.end())))(re.search(r"static (?:constexpr )?auto eval\(", body)),
            }
        for alias, name in re.findall(r"^using (\w+) = (\w+)<\w+>;", text, re.M):
            if name in found:
                found[alias] = found[name]
    return found


def functions():
    """The public functions in the order of the files: name, signatures, comment, operation."""
    for file, title in FILES:
        group, inside_core = {}, False
        text = (ROOT / f"include/gradus/expr/{file}.hpp").read_text()
        text = re.sub(r"(?m)^(constexpr auto \w+\([^{;]*?),\n +", r"\1, ", text)  # a signature stands on one line
        text = re.sub(r"(?m)^(constexpr auto \w+\([^{;]*?),\n +", r"\1, ", text)
        lines = text.split("\n")
        for i, line in enumerate(lines):
            inside_core = (inside_core or line.startswith("namespace core {")) and not line.startswith("}  // namespace core")
            match = re.match(r"(?:template .*> )?(?:requires operands<A, B> )?constexpr auto (operator\S+?|\w+)\((.*?)\) \{", line)
            if not match or inside_core:
                continue
            name = OPERATORS.get((match[1], match[2].count(",") + 1), match[1])
            if name in NOT_OPERATIONS:
                continue
            if name.startswith("operator"):
                name = "comparisons"
            comment = comment_before(lines, i)
            header = next(
                (
                    lines[j]
                    for j in (i - 1, i - 2)
                    if lines[j].startswith("template") and i > j and (j == i - 1 or "requires" in lines[i - 1])
                ),
                "",
            )
            body = body_at(text, text.index(line))
            applied = re.search(r"op::(\w+)", body)
            entry = group.setdefault(name, {"signatures": [], "said": "", "op": None})
            operands = ", ".join(p.split()[-1] for p in re.split(r",\s*(?![^<]*>)", match[2]) if p and p.split()[-1] not in ("E", "F"))
            operands = OPERANDS.get(name, operands)
            given = (
                ""
                if name in ("let", "update", "where")
                else re.sub(r",? ?(?:\b(?:operand|class|expression)\b|core::\w+ )[^,<>]*", "", header[len("template <") : -1]).strip(", ")
            )
            written = (
                f"a {match[1][8:]} b"
                if match[1].startswith("operator") and "," in match[2]
                else f"{match[1][8:]}{operands}"
                if match[1].startswith("operator")
                else (f"{name}<{given}>" if given else name) + f"({operands})"
            )
            if written not in entry["signatures"]:
                entry["signatures"].append(written)
            entry["said"] = entry["said"] or comment
            entry["op"] = entry["op"] or (applied and applied[1])
        yield file, title, group


def tables():
    """Of docs/operations.md: the cells of a function's row under "edge rule" and "derivative"."""
    edges, derivatives, has_rule = {}, {}, False
    for line in (ROOT / "docs/operations.md").read_text().splitlines():
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells and cells[0] in ("operation", ""):
            has_rule = cells[-1] == "edge rule"
        elif len(cells) > 2 and has_rule:
            for name in re.findall(r"`(\w+)", cells[0]):
                edges.update({name: cells[-1]} if cells[-1] else {})
                derivatives.update({name: cells[2]} if len(cells) == 4 and cells[2] != "of these" else {})
    return edges, derivatives


def entries():
    known, (edges, tabled) = operations(), tables()
    for _, title, group in functions():
        yield f"## {title}", None
        for name, f in group.items():
            op = known.get(f["op"]) or {}
            said = f["said"] or re.sub(r" Attributes:.*", "", op.get("said") or "") or (f"`{op['eval']}`." if op.get("eval") else "")
            if name == "comparisons":
                said = "Numbers in, bools out."
            text = [f"### {name}", "", ", ".join(f"`{s}`" for s in f["signatures"]), "", said, ""]
            made_of = (
                op.get("formula")
                if op.get("made")
                and f["op"] == name
                and len(op["formula"]) < 110
                and ";" not in op["formula"]
                and "attr" not in op["formula"]
                else None
            )
            if made_of:
                text.append(f"- Made of: `{made_of}`")
            if op.get("rule") and name not in DERIVATIVES:
                kind, rule = op["rule"]
                rule = re.sub(r"if constexpr \([^)]*\) ([^;]*);.*", r"\1", rule)
                many = "{" in rule and kind != "derivative"
                text.append(
                    f"- Derivative: `{rule}`"
                    + (", by each operand" if many else "")
                    + (", g the incoming one" if kind in ("chain", "vjp") else "")
                )
            else:
                text.append("- Derivative: " + (DERIVATIVES.get(name) or tabled.get(name) or "of what it is made of"))
            shapes = SHAPES.get(name) or SHAPES_OF_BASE.get(op.get("base"))
            if shapes and name != "comparisons" and all("," not in s for s in f["signatures"]):
                shapes = shapes.replace("operands broadcast", "that of x")
            if not shapes or not said:
                sys.exit(f"tools/reference.py: {name} has no shape, or says not what it is")
            text.append(f"- Shape: {shapes}")
            if name in edges:
                text.append(f"- Edge: {edges[name]}")
            yield "\n".join(text), name


def examples(document):
    found = {}
    for part in re.split(r"^(?=##+ )", document, flags=re.M):
        heading = re.match(r"### (\S+)", part)
        if heading and "```" in part:
            found[heading[1]] = part[part.index("```") :].strip()
    return found


def made(document):
    """The document anew, and what is wrong with it."""
    begin = document.index("\n## ")
    given, text, faults = examples(document), [document[:begin].rstrip("\n")], []
    for entry, name in entries():
        if name and name not in given:
            faults.append(f"{name} has no example")
        text.append(entry + ("\n\n" + given.pop(name) if name in given else ""))
    faults += [f"{name} is no function" for name in given]
    faults += [
        f"expr/{path.name} is not in FILES"
        for path in (ROOT / "include/gradus/expr").glob("*.hpp")
        if path.stem not in [*dict(FILES), "body", "constants", "control", "expression", "transforms"]
    ]
    lists = re.sub(r"<\d+>", "", (ROOT / "include/gradus/op/list.hpp").read_text())
    named = re.findall(r"using (\w+) = op_list<([^>]*)>", lists)
    listed = {name for which, of in named if which != "derivative_list" for name in re.split(r"[,\s]+", of)}
    source = (
        "".join((ROOT / f"include/gradus/expr/{file}.hpp").read_text() for file, _ in FILES)
        + (ROOT / "include/gradus/op/formula.hpp").read_text()
    )
    faults += [f"operation {name} is applied by no function" for name in sorted(listed - set(re.findall(r"op::(\w+)", source)) - INTERNAL)]
    return "\n\n".join(text) + "\n", faults


def main():
    document = DOCUMENT.read_text()
    text, faults = made(document)
    if sys.argv[1] == "write":
        return DOCUMENT.write_text(text)
    if text != document:
        faults.append("the document differs from the source: `tools/reference.py write` mends it")
    return sys.exit("\n".join(f"docs/reference.md: {fault}" for fault in faults) or 0)


if __name__ == "__main__":
    main()
