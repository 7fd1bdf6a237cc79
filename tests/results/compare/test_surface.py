"""Distances between surfaces."""

import numpy as np

from napari_segment.image import Labels
from napari_segment.results.compare import compare
from napari_segment.results.compare.surface import hausdorff_95


def test_surface_distance_of_shifted_boxes():
    a, b = np.zeros((2, 40, 40), bool)
    a[10:20, 10:20] = True
    b[10:20, 13:23] = True
    scores = compare(Labels(a, spacing=(1, 2)), b, surface=True)
    assert scores.classes[0].surface["hd95"] == 6.0


def test_hausdorff_of_two_bars_by_hand():
    a, b = np.zeros((9, 12), bool), np.zeros((9, 12), bool)
    a[4, 2:8], b[7, 2:8] = True, True
    assert hausdorff_95(a, b, (2.0, 1.0)) == 6.0
    assert np.isnan(hausdorff_95(a, b & False, (2.0, 1.0)))
