"""Names of modules, classes, functions and arguments use the terms of docs/design.md."""

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "napari_segment"
BANNED = frozenset(
    {
        "told",
        "beside",
        "shelf",
        "kept",
        "place",
        "places",
        "found",
        "ways",
        "meaning",
        "words",
        "hill",
    }
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
    "deep/checkpoint.py",
    "deep/detection",
    "deep/device.py",
    "deep/inference",
    "deep/network.py",
    "deep/nn/losses",
    "demo.py",
    "distribution.py",
    "engine",
    "errors.py",
    "exchange",
    "image",
    "recipe.py",
    "registry",
    "results",
    "samples.py",
    "step.py",
    "testing.py",
    "worker",
)
FILES = [
    f
    for name in HELD
    for f in ([SOURCE / name], (SOURCE / name).rglob("*.py"))[(SOURCE / name).is_dir()]
]


def names_in(path):
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg


def banned_words(name):
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return BANNED & {word.lower() for word in words}


def test_words_of_identifiers_are_told_apart():
    assert banned_words("PlaceOfKeptTiles") == {"kept", "place"}
    assert banned_words("_in_words") == {"words"}
    assert not banned_words("foundation_always")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_names_use_standard_terms(path):
    wrong = {name for name in names_in(path) if banned_words(name)}
    assert not wrong
