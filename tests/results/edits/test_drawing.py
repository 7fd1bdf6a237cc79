"""Objects are drawn, and strokes of a brush recorded."""

import numpy as np
import pytest

from napari_segment.errors import InputError
from napari_segment.recipe import Edit
from napari_segment.results.edits.history import History
from napari_segment.results.edits.shapes import outline_mask, runs_mask, runs_of

TRIANGLE = [[0, 0], [0, 4], [4, 0]]


def edited(labels, name, axes="", at=None, **settings):
    labels = np.array(labels)
    history = History(labels, axes or "ZYX"[-labels.ndim :])
    history.make(Edit(name=name, settings=settings, at=at or {}))
    return history.labels


def test_an_outline_becomes_the_next_object_on_background():
    labels = np.zeros((5, 5), np.uint8)
    labels[1, 1] = 6
    drawn = edited(labels, "new_object", outline=TRIANGLE)
    assert drawn.tolist() == [
        [7, 7, 7, 7, 0], [7, 6, 7, 0, 0], [7, 7, 0, 0, 0], [7, 0, 0, 0, 0], [0, 0, 0, 0, 0],
    ]  # fmt: skip


def test_overwriting_replaces_and_the_number_may_be_given():
    labels = np.full((5, 5), 6, np.uint8)
    drawn = edited(labels, "new_object", outline=TRIANGLE, overwrite=True, number=2)
    assert (drawn == 2).sum() == 10
    with pytest.raises(InputError, match="lies on background"):
        edited(labels, "new_object", outline=TRIANGLE)


def test_an_outline_in_one_plane_or_through_all():
    volume = np.zeros((3, 5, 5), np.uint8)
    assert edited(volume, "new_object", at={"Z": 1}, outline=TRIANGLE).sum((1, 2)).tolist() == [
        0, 10, 0,
    ]  # fmt: skip
    assert edited(volume, "new_object", outline=TRIANGLE).sum((1, 2)).tolist() == [10, 10, 10]


def test_an_outline_is_filled_by_the_even_odd_rule():
    bow = ((0.0, 0.0), (4.0, 4.0), (4.0, 0.0), (0.0, 4.0))
    mask = outline_mask(bow, (slice(0, 5), slice(0, 5)))
    assert mask.sum(1)[:2].tolist() == [4, 2]
    assert mask[1].tolist() == [False, True, True, False, False]


def test_runs_are_voxels():
    indices = np.array([[0, 1], [0, 2], [1, 0], [0, 3], [1, 2]])
    runs = runs_of(indices, (2, 4))
    assert runs == "1+4 6+1"  # 1 2 3 | 4 follows on
    box, mask = runs_mask(runs, (2, 4))
    assert box == (slice(0, 2), slice(0, 4))
    assert {tuple(i) for i in np.argwhere(mask)} == {tuple(i) for i in indices}
    assert runs_of(np.zeros((0, 2), int), (2, 4)) == ""


def test_paint_and_erase():
    labels = np.zeros((2, 4), np.uint8)
    painted = edited(labels, "paint", runs="1+2", number=5)
    assert painted.tolist() == [[0, 5, 5, 0], [0, 0, 0, 0]]
    assert edited(painted, "paint", runs="2+1", number=0).tolist() == [[0, 5, 0, 0], [0] * 4]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"runs": ""}, "Nothing was painted"),
        ({"runs": "6+3"}, "do not lie in labels of shape"),
        ({"runs": "0+1 99999999999999999+1"}, "do not lie in"),
        ({"runs": "0+0"}, "do not lie in"),
    ],
)
def test_strokes_elsewhere_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        edited(np.zeros((2, 4), np.uint8), "paint", number=1, **settings)


def test_a_new_object_is_either():
    with pytest.raises(InputError, match="either an outline or runs"):
        edited(np.zeros((2, 4), np.uint8), "new_object")
