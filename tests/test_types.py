"""Parameters have exact types: how many are `Any` only goes down."""

import ast
from collections import Counter
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "napari_segment"
# Lower it with each parameter that gets an exact type; the rest passes on what others' code gives.
CEILING = 120


def parameters_of(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = node.args
            several = [a for a in (given.vararg, given.kwarg) if a is not None]
            yield from (*given.posonlyargs, *given.args, *given.kwonlyargs, *several)


def count_any(source):
    annotations = (parameter.annotation for parameter in parameters_of(ast.parse(source)))
    return sum(isinstance(a, ast.Name) and a.id == "Any" for a in annotations)


def test_parameters_are_counted():
    source = "def f(a: Any, /, b: int, *c: Any, d: list[Any] = (), **e: Any): ..."
    assert count_any(source) == 3


def test_few_parameters_are_any():
    paths = {p: count_any(p.read_text("utf-8")) for p in SOURCE.rglob("*.py")}
    by_package = Counter()
    for path, count in paths.items():
        by_package[path.relative_to(SOURCE).parts[0]] += count
    total = sum(by_package.values())
    most = [f"{name} {count}" for name, count in by_package.most_common(5)]
    assert total <= CEILING, f"{total} parameters are Any: {', '.join(most)}"
