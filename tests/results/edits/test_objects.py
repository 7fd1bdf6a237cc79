"""Whole objects get other numbers."""

import numpy as np
import pytest

from napari_segment.errors import InputError, SettingError
from napari_segment.recipe import Edit
from napari_segment.results.edits.history import History

ROW = np.array([[1, 1, 0, 2, 0, 3, 3]], np.uint8)


def edited(labels, name, axes="YX", at=None, **settings):
    history = History(np.array(labels), axes)
    history.make(Edit(name=name, settings=settings, at=at or {}))
    return history.labels


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("delete", {"numbers": [1, 3, 3]}, [0, 0, 0, 2, 0, 0, 0]),
        ("merge", {"numbers": [3, 1]}, [3, 3, 0, 2, 0, 3, 3]),
        ("relabel", {"number": 2}, [1, 1, 0, 4, 0, 3, 3]),
        ("relabel", {"number": 2, "new": 9}, [1, 1, 0, 9, 0, 3, 3]),
        ("swap", {"numbers": [1, 3]}, [3, 3, 0, 2, 0, 1, 1]),
        ("accept", {"numbers": [1, 2]}, [1, 1, 0, 2, 0, 3, 3]),
    ],
)
def test_numbers(name, settings, expected):
    assert edited(ROW, name, **settings).tolist() == [expected]


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("delete", {"numbers": [7]}, "no object 7"),
        ("merge", {"numbers": [1]}, "at least two objects"),
        ("merge", {"numbers": [1, 8]}, "no object 8"),
        ("relabel", {"number": 2, "new": 3}, "taken by another object.*such as 4"),
        ("relabel", {"number": 2, "new": 2}, "number 2 already"),
        ("swap", {"numbers": [2, 2]}, "both are number 2"),
        ("accept", {"numbers": [5]}, "no object 5"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(name, settings, message):
    history = History(ROW.copy(), "YX")
    with pytest.raises(InputError, match=message):
        history.make(Edit(name=name, settings=settings))
    assert np.array_equal(history.labels, ROW)
    assert not history.done


def test_settings_are_checked():
    for settings in ({"numbers": []}, {"numbers": [0]}, {"number": 1}):
        with pytest.raises(SettingError):
            edited(ROW, "delete", **settings)


def test_one_time_point_or_all():
    movie = np.stack([ROW, ROW])
    assert edited(movie, "delete", "TYX", {"T": 1}, numbers=[2])[:, 0, 3].tolist() == [2, 0]
    assert edited(movie, "delete", "TYX", numbers=[2])[:, 0, 3].tolist() == [0, 0]
    with pytest.raises(InputError, match="no object 2 in the labels at T 0"):
        edited(movie * [[[1]], [[2]]] % 5 * [[[0]], [[1]]], "delete", "TYX", {"T": 0}, numbers=[2])


def test_tracks_are_swapped_from_a_time_point_on():
    movie = np.stack([ROW, ROW, ROW])
    swapped = edited(movie, "swap", "TYX", numbers=[1, 3], start=1)
    assert swapped[:, 0, 0].tolist() == [1, 3, 3]
    assert swapped[:, 0, 6].tolist() == [3, 1, 1]
    with pytest.raises(InputError, match="from T 3 on"):
        edited(movie, "swap", "TYX", numbers=[1, 3], start=3)


def test_positions_outside_are_refused():
    for at, message in (({"Z": 0}, "no position along Z"), ({"Y": 1}, "from 0 to 0")):
        with pytest.raises(InputError, match=message):
            edited(ROW, "delete", at=at, numbers=[1])


def test_a_class_is_edited_as_an_object():
    classes = np.array([[1, 2, 1], [2, 2, 1]], np.uint8)
    assert edited(classes, "merge", numbers=[1, 2]).tolist() == [[1, 1, 1], [1, 1, 1]]
