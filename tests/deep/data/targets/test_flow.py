"""Flows to the centres of objects, and objects from flows."""

import numpy as np

from napari_segment.deep.data.targets.flow import flows, gather


def touching_squares(ndim):
    labels = np.zeros((12,) * (ndim - 1) + (24,), np.uint16)
    inner = (slice(2, 10),) * (ndim - 1)
    labels[(*inner, slice(3, 12))] = 5
    labels[(*inner, slice(12, 21))] = 300
    return labels


def test_flow_leads_to_the_middle_by_hand():
    labels = np.zeros((7, 7), int)
    labels[1:6, 1:6] = 4
    actual = flows(labels)
    assert not actual[:, 3, 3].any()
    assert not actual[:, labels == 0].any()
    for voxel, way in {(3, 1): (0, 1), (5, 3): (-1, 0), (1, 1): (0.5**0.5, 0.5**0.5)}.items():
        np.testing.assert_allclose(actual[(slice(None), *voxel)], way, atol=2e-3)


def test_flow_goes_round_the_corner():
    """In a bent object no voxel is led out of it: all meet."""
    labels = np.zeros((30, 30), int)
    labels[2:28, 2:8] = labels[22:28, 2:28] = 1
    actual = gather(flows(labels), labels > 0, 0.0)
    assert np.unique(actual[labels > 0]).size == 1


def test_objects_against_the_flow_are_left_out():
    labels = touching_squares(2)
    assert gather(flows(labels), labels > 0, 0.9).max() == 2
    wind = flows(labels)
    wind[:, labels == 300] = np.array([[0], [1]])
    assert gather(wind, labels > 0, 0.0)[labels == 300].all()
    assert not gather(wind, labels > 0, 0.6)[labels == 300].any()
