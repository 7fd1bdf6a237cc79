"""Outlines are filled, smoothed, grown and shrunk."""

import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_segment.errors import InputError
from napari_segment.recipe import Edit
from napari_segment.results.edits.history import History


def edited(labels, name, image=None, spacing=(), at=None, **settings):
    labels = np.array(labels)
    history = History(labels, "ZYX"[-labels.ndim :], spacing, image)
    history.make(Edit(name=name, settings=settings, at=at or {}))
    return history.labels


def disk(radius=5, size=21):
    y, x = np.indices((size, size)) - size // 2
    return ((y * y + x * x) <= radius * radius).astype(np.uint8)


def test_holes_are_filled_but_for_other_objects():
    ring = disk(6) - disk(3)
    ring[10, 10] = 5
    labels = edited(ring, "fill_holes", numbers=[1])
    expected = disk(6)
    expected[10, 10] = 5
    assert np.array_equal(labels, expected)


def test_holes_of_a_plane_that_are_open_in_the_volume():
    tube = np.stack([disk(6) - disk(3)] * 3)
    assert np.array_equal(edited(tube, "fill_holes", numbers=[1]), tube)
    plane = edited(tube, "fill_holes", numbers=[1], at={"Z": 1})
    assert np.array_equal(plane[1], disk(6))
    assert np.array_equal(plane[[0, 2]], tube[[0, 2]])


def test_growing_adds_what_lies_within_the_distance():
    labels = edited(disk(3), "grow", numbers=[1], distance=2.5)
    assert np.array_equal(labels, ndi.distance_transform_edt(disk(3) == 0) <= 2.5)


def test_growing_is_measured_in_space():
    volume = np.zeros((5, 9, 9), np.uint8)
    volume[2, 4, 4] = 1
    labels = edited(volume, "grow", spacing=(2, 1, 1), numbers=[1], distance=2)
    assert labels[:, 4, 4].tolist() == [0, 1, 1, 1, 0]
    assert labels[2, 4].tolist() == [0, 0, 1, 1, 1, 1, 1, 0, 0]


def test_objects_that_grow_together_meet_in_the_middle_and_spare_others():
    row = np.zeros((1, 12), np.uint8)
    row[0, [1, 7]] = 1, 2
    row[0, 10] = 3
    assert edited(row, "grow", numbers=[1, 2], distance=9)[0].tolist() == [
        1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 2,
    ]  # fmt: skip


def test_shrinking_takes_off_what_lies_within_the_distance():
    labels = edited(disk(6), "shrink", numbers=[1], distance=2)
    assert np.array_equal(labels, ndi.distance_transform_edt(disk(6)) > 2)
    with pytest.raises(InputError, match="would vanish"):
        edited(disk(2), "shrink", numbers=[1], distance=9)


@pytest.mark.parametrize(("name", "start"), [("grow", 4), ("shrink", 9)])
def test_the_edge_of_the_image_stops(name, start):
    size = 31
    image = np.where(disk(7, size), 200, 20).astype(np.uint8)
    labels = edited(disk(start, size), name, image=image, numbers=[1], distance=5, to_edge=True)
    truth = disk(7, size)
    assert (labels & truth).sum() / (labels | truth).sum() > 0.9
    with pytest.raises(InputError, match="needs the image"):
        edited(disk(start, size), name, numbers=[1], to_edge=True)


def test_smoothing_removes_a_spur_and_fills_a_notch():
    labels = np.zeros((21, 30), np.uint8)
    labels[4:17, 4:17] = 1
    labels[10, 17:24] = 1  # spur
    labels[10, 4:7] = 0  # notch
    labels[2, 10] = 3
    smoothed = edited(labels, "smooth", numbers=[1], sigma=1.5)
    assert not smoothed[10, 19:].any()
    assert smoothed[10, 5] == 1
    assert smoothed[2, 10] == 3
    with pytest.raises(InputError, match="would vanish"):
        edited(disk(1), "smooth", numbers=[1], sigma=20)
