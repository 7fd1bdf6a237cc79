"""Errors go from process to process as they are."""

import pickle

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
