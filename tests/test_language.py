"""Names in source, tests, benchmarks, scripts and docs use the terms of docs/design.md."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BANNED = frozenset(
    {"told", "beside", "shelf", "kept", "place", "places", "found", "ways", "meaning", "words"}
    | {"hill", "ladder", "surprise", "door", "room", "house"}
)
# What is no part of the product speaks the same language.
FOLDERS = ("src", "tests", "benchmarks", "scripts", "docs")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


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
    name = name.replace("in_place", "")  # as NumPy says it
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return BANNED & {word.lower() for word in parts}


def test_identifiers_are_split_into_terms():
    assert banned_terms("PlaceOfKeptTiles") == {"kept", "place"}
    assert banned_terms("_in_words") == {"words"}
    assert not banned_terms("foundation_always")
    assert not banned_terms("changed_in_place")


def test_variables_and_attributes_are_read(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        "def f(self):\n    self.kept = [hill for hill in self.found]\n    a, room = 1, 2\n"
    )
    assert sorted(assigned_names_in(path)) == ["a", "hill", "kept", "room"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_use_standard_terms(path):
    assert not {name for name in names_in(path) if banned_terms(name)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_variables_use_standard_terms(path):
    assert not {name for name in assigned_names_in(path) if banned_terms(name)}
