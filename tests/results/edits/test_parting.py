"""Objects are parted by lines, points and lassos."""

import numpy as np
import pytest

from napari_segment.errors import InputError
from napari_segment.recipe import Edit
from napari_segment.results.edits.history import History


def edited(labels, name, axes="", image=None, spacing=(), at=None, **settings):
    labels = np.array(labels)
    history = History(labels, axes or "ZYX"[-labels.ndim :], spacing, image)
    history.make(Edit(name=name, settings=settings, at=at or {}))
    return history.labels


def square(side=6):
    return np.pad(np.full((side, side), 2, np.uint8), 1)


def test_a_line_parts_and_the_larger_piece_keeps_the_number():
    labels = edited(square(), "split", number=2, line=[[-1, 2], [9, 2]])
    # column 1 is left of the line, 3 to 6 are right of it; the line itself joins a neighbour
    assert (labels[1:-1, 1] == 3).all()
    assert (labels[1:-1, 3:7] == 2).all()
    assert set(np.unique(labels)) == {0, 2, 3}
    assert np.array_equal(labels > 0, square() > 0)


def test_a_diagonal_line_parts_as_well():
    labels = edited(square(20), "split", number=2, line=[[0, 0], [21, 21]])
    y, x = np.indices(labels.shape)
    inside = labels > 0
    assert len(np.unique(labels[(x > y + 1) & inside])) == 1
    assert len(np.unique(labels[(y > x + 1) & inside])) == 1
    assert set(np.unique(labels)) == {0, 2, 3}


def test_a_line_parts_all_planes_of_a_volume():
    volume = np.stack([square()] * 3)
    labels = edited(volume, "split", number=2, line=[[-1, 2], [9, 2]], axis="Z")
    assert (labels[:, 1:-1, 1] == 3).all()
    sideways = edited(volume, "split", number=2, line=[[0.6, 0], [0.6, 8]], axis="X")
    assert len(np.unique(sideways[0, 1:-1, 1:-1])) == 1
    assert set(np.unique(sideways)) == {0, 2, 3}


def test_one_plane_of_a_volume_is_parted_by_itself():
    volume = np.stack([square()] * 3)
    labels = edited(volume, "split", number=2, line=[[-1, 3], [9, 3]], at={"Z": 1})
    assert [3 in plane for plane in labels] == [False, True, False]


def test_a_line_that_ends_inside_is_refused():
    with pytest.raises(InputError, match=r"not parted.*from one side"):
        edited(square(), "split", number=2, line=[[-1, 3], [3, 3]])


def dumbbell():
    labels = np.zeros((7, 15), np.uint8)
    labels[1:6, 1:6] = labels[1:6, 9:14] = 1
    labels[3, 6:9] = 1
    return labels


def test_points_part_at_the_neck():
    labels = edited(dumbbell(), "split", number=1, points=[[3, 3], [3, 11]])
    assert len(np.unique(labels[1:6, 1:6])) == len(np.unique(labels[1:6, 9:14])) == 1
    assert labels[3, 3] != labels[3, 11]


def test_points_part_along_a_dark_line_of_the_image():
    image = np.full((8, 8), 200, np.uint8)
    image[:, 2] = 10
    labels = edited(
        square(), "split", image=image, number=2, points=[[4, 1], [4, 5]], landscape="intensity"
    )
    assert (labels[1:-1, 1] == 3).all()
    assert (labels[1:-1, 3:-1] == 2).all()


def test_points_respect_the_spacing():
    # a column of voxels: 2 voxels of 10 µm and 6 of 1 µm would part elsewhere if spacing were lost
    volume = np.ones((6, 3, 3), np.uint8)
    labels = edited(volume, "split", spacing=(5, 1, 1), number=1, points=[[0, 1, 1], [5, 1, 1]])
    assert set(np.unique(labels)) == {1, 2}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "either a line or at least two points"),
        ({"line": [[0, 0], [1, 1]], "points": [[1, 1], [2, 2]]}, "either a line"),
        ({"points": [[3, 3]]}, "at least two points of 2 coordinates"),
        ({"points": [[0, 0], [3, 3]]}, "does not lie in object 2"),
        ({"points": [[3, 3], [3, 5]], "landscape": "intensity"}, "needs the image"),
    ],
)
def test_what_cannot_part_is_refused(settings, message):
    with pytest.raises(InputError, match=message):
        edited(square(), "split", number=2, **settings)


LEFT = [[-1, -1], [-1, 2.5], [9, 2.5], [9, -1]]


def test_a_lasso_cuts_out_or_away():
    labels = edited(square(), "cut", outline=LEFT)
    assert (labels[1:-1, 1:3] == 3).all()
    assert (labels[1:-1, 3:7] == 2).all()
    away = edited(square(), "cut", outline=LEFT, result="background")
    assert not away[:, :3].any()
    assert (away[1:-1, 3:7] == 2).all()


def test_a_lasso_cuts_each_object_apart_or_only_some():
    labels = np.repeat(np.array([[4, 4, 7, 7]], np.uint8), 4, 0)
    outline = [[-1, 0.5], [-1, 2.5], [5, 2.5], [5, 0.5]]
    assert edited(labels, "cut", outline=outline)[0].tolist() == [4, 8, 9, 7]
    assert edited(labels, "cut", outline=outline, numbers=[7])[0].tolist() == [4, 4, 8, 7]


def test_a_lasso_that_meets_nothing_is_refused():
    with pytest.raises(InputError, match="no voxel of an object"):
        edited(square(), "cut", outline=[[0, 0], [0, 0.9], [0.9, 0]])
    with pytest.raises(InputError, match="three vertices"):
        edited(square(), "cut", outline=[[0, 0], [5, 5]])
    with pytest.raises(InputError, match="no voxel of the labels"):
        edited(square(), "cut", outline=[[50, 50], [50, 60], [60, 60]])
