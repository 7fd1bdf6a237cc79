"""Objects are interpolated, extended and copied from plane to plane."""

import numpy as np
import pytest

from napari_segment.errors import InputError
from napari_segment.recipe import Edit
from napari_segment.results.edits.history import History


def edited(labels, name, axes="", spacing=(), at=None, **settings):
    labels = np.array(labels)
    history = History(labels, axes or "ZYX"[-labels.ndim :], spacing)
    history.make(Edit(name=name, settings=settings, at=at or {}))
    return history.labels


def disk(radius, centre=(15, 15), size=31):
    y, x = np.indices((size, size))
    return (y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius**2


def test_radii_are_interpolated():
    volume = np.zeros((5, 31, 31), np.uint8)
    volume[0], volume[4] = disk(4), disk(12)
    labels = edited(volume, "interpolate", numbers=[1])
    for z, radius in enumerate((4, 6, 8, 10, 12)):
        assert abs(np.sqrt((labels[z] > 0).sum() / np.pi) - radius) < 0.6, z
    assert np.array_equal(labels[[0, 4]], volume[[0, 4]])


def test_an_object_that_moves_is_followed_in_time():
    movie = np.zeros((3, 31, 31), np.uint8)
    movie[0], movie[2] = disk(4, (6, 6)), disk(4, (6, 24))
    labels = edited(movie, "interpolate", "TYX", axis="T")
    ys, xs = np.nonzero(labels[1])
    assert (ys.mean(), xs.mean()) == pytest.approx((6, 15), abs=0.5)
    assert abs(len(ys) - disk(4).sum()) <= 8


def test_several_objects_share_the_gap_and_spare_what_is_there():
    volume = np.zeros((3, 31, 31), np.uint8)
    volume[[0, 2]] = disk(6, (15, 9)) + 2 * disk(6, (15, 22)).astype(np.uint8)
    volume[1, 15, 9] = 7
    labels = edited(volume, "interpolate")
    assert labels[1, 15, 9] == 7
    assert labels[1, 15, 6] == 1
    assert labels[1, 15, 22] == 2


def test_what_lies_between_given_planes_is_replaced():
    volume = np.zeros((3, 31, 31), np.uint8)
    volume[[0, 2]] = disk(5)
    volume[1] = disk(12)
    assert (edited(volume, "interpolate", planes=[0, 2], numbers=[1])[1] > 0).sum() == disk(5).sum()
    with pytest.raises(InputError, match="nothing to fill along Z"):
        edited(volume, "interpolate")


def test_the_spacing_within_planes_counts():
    volume = np.zeros((3, 31, 31), np.uint8)
    volume[0, 5:26, 14:17] = volume[2, 14:17, 5:26] = 1
    round_, flat = (edited(volume, "interpolate", spacing=(1, s, 1))[1] for s in (1, 4))
    assert np.array_equal(round_, round_.T)
    assert not np.array_equal(flat, flat.T)


def test_one_time_point_of_a_volume_is_interpolated_along_z():
    stack = np.zeros((2, 3, 31, 31), np.uint8)
    stack[:, [0, 2]] = disk(5)
    labels = edited(stack, "interpolate", "TZYX", at={"T": 1})
    assert [bool(part[1].any()) for part in labels] == [False, True]


def test_objects_are_extended_through_the_stack_on_background():
    volume = np.zeros((5, 3, 3), np.uint8)
    volume[1, 1] = 4
    volume[3, 1, 0] = 9
    labels = edited(volume, "extend", numbers=[4], plane=1, to=4)
    assert labels[:, 1].tolist() == [[0, 0, 0], [4, 4, 4], [4, 4, 4], [9, 4, 4], [4, 4, 4]]
    down = edited(volume, "extend", numbers=[4], plane=1, to=0)
    assert down[:, 1, 1].tolist() == [4, 4, 0, 0, 0]


def test_a_plane_is_copied_to_the_next():
    volume = np.zeros((3, 2, 2), np.uint8)
    volume[0] = [[1, 2], [0, 2]]
    volume[1, 0, 1] = 5
    assert edited(volume, "copy_plane", plane=0, to=1)[1].tolist() == [[1, 5], [0, 2]]
    assert edited(volume, "copy_plane", plane=0, to=1, overwrite=True)[1].tolist() == [
        [1, 2], [0, 2],
    ]  # fmt: skip
    assert edited(volume, "copy_plane", plane=0, to=2, numbers=[1])[2].tolist() == [[1, 0], [0, 0]]


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("extend", {"numbers": [4], "plane": 2, "to": 0}, "not in plane 2 along Z"),
        ("extend", {"numbers": [4], "plane": 1, "to": 9}, "planes from 0 to 4"),
        ("copy_plane", {"plane": 1, "to": 1}, "Give two planes"),
        ("copy_plane", {"plane": 2, "to": 1}, "holds no object"),
        ("copy_plane", {"plane": 0, "to": 1, "axis": "T"}, "no planes along T"),
    ],
)
def test_planes_that_do_not_fit_are_refused(name, settings, message):
    volume = np.zeros((5, 3, 3), np.uint8)
    volume[1, 1] = 4
    with pytest.raises(InputError, match=message):
        edited(volume, name, **settings)
