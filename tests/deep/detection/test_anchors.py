"""Boxes of objects and anchors fitted to them, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segment.deep.detection.anchors import (
    anchors_by_level,
    boxes_of,
    fit_anchors,
    with_anchors,
)
from napari_segment.recipe import Spec
from napari_segment.registry import models


def discs(shape, centres, radius):
    """Discs numbered from 1."""
    labels = np.zeros(shape, np.int32)
    y, x = np.ogrid[: shape[0], : shape[1]]
    for i, (cy, cx) in enumerate(centres, 1):
        labels[(y - cy) ** 2 + (x - cx) ** 2 <= radius**2] = i
    return labels


def test_boxes_are_half_open_and_skip_what_is_no_object():
    labels = np.zeros((6, 8), np.int32)
    labels[1:3, 2:6] = 7
    labels[5, 7] = 300
    labels[0, 0] = -1
    assert boxes_of(labels).tolist() == [[7, 1, 2, 3, 6], [300, 5, 7, 6, 8]]
    assert boxes_of(np.zeros((4, 4))).shape == (0, 5)


def test_anchors_span_the_objects():
    small = discs((64, 64), [(10, 10), (40, 40)], 4)
    anchors = fit_anchors([small])
    assert len(anchors) == 8
    assert anchors[0] == pytest.approx(9)
    assert anchors[-1] == pytest.approx(72, rel=0.02)
    assert anchors_by_level(anchors)[0] == anchors[:2]


def test_given_anchors_are_used():
    spec = Spec(name="mask_rcnn", settings={"anchors": (8.0,) * 4})
    assert with_anchors(spec, []) is spec
    fitted = with_anchors(Spec(name="mask_rcnn"), [discs((32, 32), [(16, 16)], 5)])
    assert fitted.settings["anchors"][0] == pytest.approx(11)


def test_auto_is_fitted_and_former_empty_anchors_are_auto():
    labels = [discs((32, 32), [(16, 16)], 5)]
    assert models["mask_rcnn"].spec().settings["anchors"] == "auto"
    former = models["mask_rcnn"].spec({"anchors": ()})
    assert with_anchors(former, labels).settings["anchors"][0] == pytest.approx(11)
