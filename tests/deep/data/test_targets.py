"""Targets from labels, and objects from targets."""

import numpy as np
import pytest

from napari_segment.deep.data.samples import in_32_bits
from napari_segment.deep.data.targets import (
    borders,
    class_indices,
    decode,
    decode_planes,
    object_maps,
    relative_depth,
)
from napari_segment.deep.data.targets.flow import flows, gather
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


def test_class_indices_by_hand():
    labels = np.array([0, 4, 9, 255, 7])
    np.testing.assert_array_equal(class_indices(labels, (0, 4, 9), 255), [0, 1, 2, -1, 0])


def test_background_may_be_a_label_of_its_own():
    """Sparse labels: 0 is unlabelled, 1 was painted as background."""
    np.testing.assert_array_equal(class_indices(np.array([0, 1, 2]), (1, 2), 0), [-1, 0, 1])


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("target", ["distance", "border", "seeds", "flow"])
def test_touching_objects_come_back_from_their_own_maps(ndim, target):
    labels = touching_squares(ndim)
    objects = Objects(target=target)
    maps = object_maps(labels, objects)
    assert len(maps) == objects.outputs(ndim)
    found = decode(maps, objects)
    if target == "border":  # the watershed gives the border back
        assert len(np.unique(found)) == 3
    assert same_partition(found, labels)


def test_depth_is_one_in_the_middle_of_each_object_and_zero_outside():
    labels = touching_squares(2)
    depth = relative_depth(labels)
    assert depth[labels == 0].max() == 0
    assert depth[labels == 5].max() == depth[labels == 300].max() == 1
    assert 0 < depth[labels == 5].min() < 0.5


def test_depth_knows_the_spacing():
    labels = np.zeros((9, 9), int)
    labels[1:8, 3:6] = 1
    # Across, the middle is 2 * 10 deep; along, the object is 7 voxels long.
    assert relative_depth(labels, (1.0, 10.0))[2, 4] == pytest.approx(2 / 4)


@pytest.mark.parametrize("shape", [(6, 7), (1, 1), (4, 5, 6)])
def test_an_object_that_fills_the_image(shape):
    full = np.ones(shape, np.uint8)
    assert np.isfinite(relative_depth(full)).all()
    assert (decode(object_maps(full, Objects()), Objects()) == 1).all()


def test_nothing_there():
    empty = np.zeros((5, 6), np.int32)
    assert relative_depth(empty).max() == 0
    assert decode(object_maps(empty, Objects()), Objects()).max() == 0


def test_borders_by_hand():
    np.testing.assert_array_equal(borders(np.array([[0, 0, 1, 1, 1, 2, 0, 0]])),
                                  [[0, 1, 1, 0, 1, 1, 1, 0]])  # fmt: skip


def test_small_objects_are_left_out_and_numbers_stay_consecutive():
    labels = np.zeros((10, 20), int)
    labels[1, 1] = 1
    labels[4:8, 4:8] = 2
    labels[4:8, 12:16] = 3
    found = decode(object_maps(labels, Objects()), Objects(size=5))
    assert np.unique(found).tolist() == [0, 1, 2]
    assert found[1, 1] == 0


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


def test_flow_leads_to_the_middle_by_hand():
    labels = np.zeros((7, 7), int)
    labels[1:6, 1:6] = 4
    found = flows(labels)
    assert not found[:, 3, 3].any()
    assert not found[:, labels == 0].any()
    for place, way in {(3, 1): (0, 1), (5, 3): (-1, 0), (1, 1): (0.5**0.5, 0.5**0.5)}.items():
        np.testing.assert_allclose(found[(slice(None), *place)], way, atol=2e-3)


def test_flow_goes_round_the_corner():
    """In a bent object no voxel is led out of it: all meet."""
    labels = np.zeros((30, 30), int)
    labels[2:28, 2:8] = labels[22:28, 2:28] = 1
    found = gather(flows(labels), labels > 0, 0.0)
    assert np.unique(found[labels > 0]).size == 1


def test_objects_against_the_flow_are_left_out():
    labels = touching_squares(2)
    assert gather(flows(labels), labels > 0, 0.9).max() == 2
    wind = flows(labels)
    wind[:, labels == 300] = np.array([[0], [1]])
    assert gather(wind, labels > 0, 0.0)[labels == 300].all()
    assert not gather(wind, labels > 0, 0.6)[labels == 300].any()


def test_planes_are_decoded_one_by_one():
    labels = np.stack([touching_squares(2)] * 2)
    maps = np.stack([object_maps(p, Objects()) for p in labels], 1)
    found = decode_planes(maps, Objects())
    assert np.unique(found[0]).tolist() == [0, 1, 2]
    assert np.unique(found[1]).tolist() == [0, 3, 4]


@pytest.mark.parametrize("target", ["distance", "border", "seeds", "flow"])
def test_unlabelled_voxels_are_unknown_in_all_maps(target):
    maps = object_maps(np.array([[0, 1, 1, -1]]), Objects(target=target))
    assert (maps[:, 0, 3] == -1).all()
    assert maps[0, 0].tolist() == [0, 1, 1, -1]


# ---- voxels without annotation, and large numbers ----


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int64, np.uint8])
def test_negative_labels_and_those_to_ignore_mean_the_same(dtype):
    labels = np.array([[0, 1, 2, 100]], dtype)
    if np.dtype(dtype).kind == "i":
        labels[0, 0] = -3
    expected = [[-1 if np.dtype(dtype).kind == "i" else 0, 1, 2, -1]]
    assert class_indices(labels, (0, 1, 2), 100).tolist() == expected


@pytest.mark.parametrize("first", [5, 2**31, 2**40, 2**62])
def test_large_object_numbers_stay_apart(first):
    labels = np.array([[0, first, first, first + 1, -1]], np.int64)
    counts = {-1: 1, 0: 1, first: 2, first + 1: 1}
    numbers = in_32_bits(labels, counts)
    assert len(np.unique(numbers[0, 1:4])) == 2
    assert (numbers[0, 1:4] > 0).all()
    assert numbers[0, 0] == 0
    assert numbers[0, 1] == (first if first < 2**31 else 1)
    part = in_32_bits(labels[:, 3:], counts)  # slabs are numbered alike
    assert part[0, 0] == numbers[0, 3]
