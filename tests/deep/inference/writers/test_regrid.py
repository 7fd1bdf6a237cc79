"""Results come back on the grid of the image."""

from __future__ import annotations

import numpy as np
import torch
from shared.checkpoints import label, made

from napari_segment.deep.data.resample import Resampled, resample, resampled_shape


def test_labels_come_back_on_the_image_grid(tmp_path, image):
    checkpoint = made(tmp_path / "a", spacing=(1.0, 1.0, 1.0))
    spacing = (2.0, 0.7, 0.7)
    got = label(checkpoint, image, spacing)
    assert got.shape == image.shape[1:]
    shape = resampled_shape(image.shape[1:], spacing, checkpoint.spacing)
    assert shape == (40, 24, 28)
    there = label(
        checkpoint.model_copy(update={"spacing": ()}), resample(image, shape), (), "probabilities"
    )
    logits = np.log(there)  # softmax of interpolated logits: the same up to a constant
    assert (resample(logits, image.shape[1:]).argmax(0) == got).mean() > 0.999


def test_coming_back_does_not_depend_on_the_slabs(tmp_path, image):
    checkpoint = made(tmp_path / "a", spacing=(0.8, 1.3, 1.0))
    small = label(checkpoint, image, (1.0, 1.0, 1.0), "probabilities", overlap=0.5)
    assert small.shape == (3, *image.shape[1:])
    assert np.allclose(small.sum(0), 1, atol=1e-5)


def test_resampling_is_that_of_torch(image):
    for shape in ((20, 17, 80), (7, 34, 3), (40, 68, 80)):
        want = torch.nn.functional.interpolate(
            torch.from_numpy(image)[None], shape, mode="trilinear", align_corners=False
        )[0]
        assert np.allclose(resample(image, shape), want, atol=1e-5)
        view = Resampled(image, shape)
        part = (slice(None), slice(2, 6), slice(0, 3), slice(1, None))
        assert np.allclose(view[part], want[part], atol=1e-5)


def test_nearest_keeps_labels():
    labels = np.array([[3, 300], [0, 7]], np.uint16)
    got = resample(labels, (4, 4), order=0)
    assert got.dtype == np.uint16
    assert np.array_equal(got, labels.repeat(2, 0).repeat(2, 1))
