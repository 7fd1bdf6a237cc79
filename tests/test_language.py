"""Names of modules, classes, functions and arguments use the terms of docs/design.md."""

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "napari_segment"
BANNED = frozenset(
    {"told", "beside", "shelf", "kept", "place", "places", "found", "ways", "meaning", "words"}
    | {"hill", "ladder", "surprise", "door", "room", "house"}
)
# The packages whose names all use the standard terms; the others are still to be gone through.
HELD = (
    "_kernel_cache.py",
    "aliases.py",
    "api",
    "blocks",
    "classical",
    "cli",
    "deep",
    "demo.py",
    "distribution.py",
    "engine",
    "errors.py",
    "_safe_path.py",
    "printable.py",
    "exchange",
    "image",
    "io",
    "recipe.py",
    "registry",
    "results",
    "samples.py",
    "step.py",
    "testing.py",
    "widgets",
    "worker",
)
# The packages whose attributes and local variables use them too.
HELD_INSIDE = (
    "aliases.py",
    "blocks",
    "cli",
    "deep",
    "demo.py",
    "distribution.py",
    "engine",
    "errors.py",
    "exchange",
    "image",
    "io",
    "recipe.py",
    "results",
    "samples.py",
    "step.py",
    "testing.py",
    "widgets",
    "worker",
)


def files_of(names):
    paths = [SOURCE / name for name in names]
    return [f for path in paths for f in (path.rglob("*.py") if path.is_dir() else [path])]


def names_in(path):
    """Yield the names of a module, and of its functions, classes and arguments."""
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg


def assigned_names_in(path):
    """Yield the names of variables and attributes that a module assigns."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.id if isinstance(node, ast.Name) else node.attr


def banned_terms(name):
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return BANNED & {word.lower() for word in parts}


def test_identifiers_are_split_into_terms():
    assert banned_terms("PlaceOfKeptTiles") == {"kept", "place"}
    assert banned_terms("_in_words") == {"words"}
    assert not banned_terms("foundation_always")


def test_variables_and_attributes_are_read(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        "def f(self):\n    self.kept = [hill for hill in self.found]\n    a, room = 1, 2\n"
    )
    assert sorted(assigned_names_in(path)) == ["a", "hill", "kept", "room"]


@pytest.mark.parametrize("path", files_of(HELD), ids=lambda path: str(path.relative_to(SOURCE)))
def test_names_use_standard_terms(path):
    wrong = {name for name in names_in(path) if banned_terms(name)}
    assert not wrong


@pytest.mark.parametrize(
    "path", files_of(HELD_INSIDE), ids=lambda path: str(path.relative_to(SOURCE))
)
def test_variables_use_standard_terms(path):
    wrong = {name for name in assigned_names_in(path) if banned_terms(name)}
    assert not wrong
