"""Objects decoded from maps."""

import numpy as np
import pytest

from napari_segment.deep.data.targets import (
    decode,
    decode_planes,
    object_maps,
)
from napari_segment.deep.planning.label_semantics import Objects


def touching_squares(ndim):
    labels = np.zeros((12,) * (ndim - 1) + (24,), np.uint16)
    inner = (slice(2, 10),) * (ndim - 1)
    labels[(*inner, slice(3, 12))] = 5
    labels[(*inner, slice(12, 21))] = 300
    return labels


def same_partition(a, b):
    pairs = np.unique(np.stack([a.ravel(), b.ravel()]), axis=1)
    return len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1]


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("target", ["distance", "border", "seeds", "flow"])
def test_touching_objects_come_back_from_their_own_maps(ndim, target):
    labels = touching_squares(ndim)
    objects = Objects(target=target)
    maps = object_maps(labels, objects)
    assert len(maps) == objects.outputs(ndim)
    actual = decode(maps, objects)
    if target == "border":  # the watershed gives the border back
        assert len(np.unique(actual)) == 3
    assert same_partition(actual, labels)


def test_small_objects_are_left_out_and_numbers_stay_consecutive():
    labels = np.zeros((10, 20), int)
    labels[1, 1] = 1
    labels[4:8, 4:8] = 2
    labels[4:8, 12:16] = 3
    actual = decode(object_maps(labels, Objects()), Objects(size=5))
    assert np.unique(actual).tolist() == [0, 1, 2]
    assert actual[1, 1] == 0


def test_foreground_without_a_heart_is_background():
    maps = np.zeros((2, 8, 8), np.float32)
    maps[0, 2:5, 2:5] = 1
    maps[1, 2:5, 2:5] = 0.2
    assert decode(maps, Objects()).max() == 0
    assert decode(maps, Objects(seed=0.1)).max() == 1


def test_smoothing_joins_two_hearts_of_one_object():
    maps = np.zeros((2, 9, 20), np.float32)
    maps[0, 2:7, 2:18] = 1
    maps[1] = 0.6 * maps[0]
    maps[1, 2:7, 10] = 0.45
    assert decode(maps, Objects()).max() == 2
    assert decode(maps, Objects(smooth=1.5, seed=0.4)).max() == 1


def test_planes_are_decoded_one_by_one():
    labels = np.stack([touching_squares(2)] * 2)
    maps = np.stack([object_maps(p, Objects()) for p in labels], 1)
    actual = decode_planes(maps, Objects())
    assert np.unique(actual[0]).tolist() == [0, 1, 2]
    assert np.unique(actual[1]).tolist() == [0, 3, 4]
