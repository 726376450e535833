"""The faults that are planted: one small change of one expression, written into the source text where it stands."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">"),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<"),
    ast.GtE: (">", "<"),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}
ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.FloorDiv: "/",
    ast.Mod: "*",
    ast.Pow: "*",
    ast.BitAnd: "|",
    ast.BitOr: "&",
}
NAMES = {
    "argmin": "argmax", "argmax": "argmin", "min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum",
    "any": "all", "all": "any", "floor": "ceil", "ceil": "floor", "sum": "max", "mean": "max", "sorted": "list",
    "nansum": "nanmax", "cumsum": "cumprod", "union1d": "intersect1d", "zeros": "ones", "ones": "zeros",
    "zeros_like": "ones_like", "ones_like": "zeros_like", "left": "right", "right": "left", "lower": "higher",
    "higher": "lower",
}  # fmt: skip
"""Functions and methods that are taken for each other; the last four are values of keywords such as `side`."""


@dataclass(frozen=True)
class Mutant:
    """One planted fault."""

    path: str
    """Of the file, from the root of the tree."""
    line: int
    column: int
    operator: str
    source: str
    """The file with the fault in it."""
    before: str
    """The expression as it stood; after: as it stands in `source`."""
    after: str
    at_import: bool
    """Whether the line is run when the module is imported: a default, a constant, the body of a class."""

    @property
    def name(self) -> str:
        """Says which mutant of the tree it is."""
        return f"{self.path}:{self.line}:{self.column} {self.operator}: {self.before} -> {self.after}"


def mutants_of(path: str, source: str) -> list[Mutant]:
    """Every mutant of a file, in the order of its lines.

    Left alone are messages (what is raised, asserted, logged, f-strings and other text), annotations, imports for them
    and decorators: no test should hang on their wording.
    """
    starts = [0]
    for text in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(text))
    raw = source.encode()
    found = []
    tree = ast.parse(source)
    called = _called_lines(tree)
    for node, operator, changed in _changes(tree):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        before = raw[begin:end].decode()
        mutated = (raw[:begin] + changed.encode() + raw[end:]).decode()
        try:
            if ast.dump(ast.parse(mutated)) == ast.dump(tree):
                continue
        except SyntaxError:
            continue
        shown = (" ".join(before.split())[:100], " ".join(changed.split())[:100])
        at_import = node.lineno not in called
        found.append(Mutant(path, node.lineno, node.col_offset, operator, mutated, *shown, at_import))
    return sorted(found, key=lambda mutant: mutant.line)


def _called_lines(tree: ast.AST) -> set[int]:
    """Lines inside the bodies of functions."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {line for node in functions for line in range(node.body[0].lineno, (node.end_lineno or 0) + 1)}


def _changes(tree: ast.AST) -> Iterator[tuple[ast.expr, str, str]]:
    """(expression, kind of fault, what stands in its place) for every change of a tree."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Raise | ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("log.", "warnings.")):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield from _changes_of(node)
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "type_params"):
                continue
            waiting += [
                child
                for child in (value if isinstance(value, list) else [value])
                if isinstance(child, ast.AST)
            ]


def _changes_of(node: ast.AST) -> Iterator[tuple[ast.expr, str, str]]:
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            for other in COMPARISONS[type(op)]:
                yield node, "comparison", f"({ast.unparse(left)} {other} {ast.unparse(right)})"
        case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
            yield node, "arithmetic", f"(({ast.unparse(left)}) {ARITHMETIC[type(op)]} ({ast.unparse(right)}))"
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert(), operand=operand):
            yield node, "unary operator removed", f"({ast.unparse(operand)})"
        case ast.BoolOp(op=op, values=values):
            word = " or " if isinstance(op, ast.And) else " and "
            yield node, "boolean", f"({word.join(f'({ast.unparse(value)})' for value in values)})"
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            yield test, "condition negated", f"(not ({ast.unparse(test)}))"
        case ast.Constant(value=bool(value)):
            yield node, "constant", repr(not value)
        case ast.Constant(value=int(value)):
            yield node, "off by one", str(value + 1)
            if value > 0:
                yield node, "off by one", str(value - 1)
        case ast.Constant(value=float(value)):
            yield node, "constant", repr(2.0 * value if value else 1.0)
        case ast.keyword(value=ast.Constant(value=str(value)) as constant) if value in NAMES:
            yield constant, "keyword's value", repr(NAMES[value])
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield value, "return value", "None"
        case ast.Call(func=func, args=args, keywords=keywords):
            yield from _changes_of_call(node, func, args, keywords)
    return


def _changes_of_call(
    node: ast.Call, func: ast.expr, args: list[ast.expr], keywords: list[ast.keyword]
) -> Iterator[tuple[ast.expr, str, str]]:
    """Another function of the kind, and each keyword dropped."""
    if isinstance(func, ast.Attribute) and func.attr in NAMES:
        yield func, "function", f"{ast.unparse(func.value)}.{NAMES[func.attr]}"
    if isinstance(func, ast.Name) and func.id in NAMES:
        yield func, "function", NAMES[func.id]
    for dropped in keywords:
        if dropped.arg is not None:
            rest = [keyword for keyword in keywords if keyword is not dropped]
            yield node, f"{dropped.arg}= dropped", ast.unparse(ast.Call(func, args, rest))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
