"""Intensity transforms of patches."""

import numpy as np
import torch
from scipy import ndimage

from napari_segment.deep.data.augment import (
    Intensity,
)
from napari_segment.deep.data.augment.warp_torch import (
    bend,
    blurred,
)


def volume(ndim=3, side=20):
    rng = np.random.default_rng(0)
    image = rng.normal(size=(2, *(side,) * ndim)).astype(np.float32)
    target = rng.integers(0, 3, (1, *(side,) * ndim)).astype(np.int16)
    return image, target


def bent(image, change):
    """Change the intensities with the fields that the change itself draws."""
    return bend(torch.from_numpy(image), change, *change.fields(image.shape)).numpy()


def test_gamma_keeps_the_extremes():
    image = np.linspace(-2, 3, 12, dtype=np.float32).reshape(1, 3, 4)
    changed = bent(image, Intensity(gamma=1.5))
    assert (changed.min(), changed.max()) == (image.min(), image.max())
    assert changed[0, 1, 1] < image[0, 1, 1]


def test_a_dropped_channel_is_empty_and_one_channel_is_never_dropped():
    image = np.ones((2, 4, 4), np.float32)
    assert bent(image, Intensity(dropped=0.9))[:, 0, 0].tolist() == [1, 0]
    assert bent(image[:1], Intensity(dropped=0.9)).min() == 1


def test_blur_is_that_of_scipy():
    image, _ = volume(3, 9)
    expected = [ndimage.gaussian_filter(c, 0.9, mode="nearest", truncate=3) for c in image]
    np.testing.assert_allclose(blurred(torch.from_numpy(image), 0.9), expected, atol=1e-5)
