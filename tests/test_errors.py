"""Errors go from process to process as they are."""

import ast
import pickle
from pathlib import Path

import pytest

from napari_segment import errors


@pytest.mark.parametrize(
    "error",
    [
        errors.InputError("The data are wrong."),
        errors.FormatError("The file is wrong."),
        errors.MissingError("A package is missing."),
        errors.UnknownNameError("method", "otsi", ["otsu", "li"]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_can_be_pickled(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)


def test_unknown_names_come_with_the_nearest():
    text = str(errors.UnknownNameError("method", "otsi", ["otsu", "li"]))
    assert text == "There is no method named 'otsi'. Did you mean 'otsu'?"
    assert "Known: a, b." in str(errors.UnknownNameError("method", "zzz", ["b", "a"]))
    assert "None is registered." in str(errors.UnknownNameError("method", "zzz"))


def test_every_error_stands_in_errors():
    source = Path(errors.__file__).parent
    classes = {
        f"{path.relative_to(source)}: {node.name}"
        for path in source.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
        and any(
            isinstance(base, ast.Name) and base.id.endswith(("Error", "Exception", "Warning"))
            for base in node.bases
        )
    }
    assert classes
    assert {name.partition(":")[0] for name in classes} == {"errors.py"}
