"""What is resampled and brought back stays where it was."""

import numpy as np
import pytest

import napari_segment as ns


def ellipsoid(center, radii, shape):
    grid = np.indices(shape, float)
    distance = sum(((g - c) / r) ** 2 for g, c, r in zip(grid, center, radii, strict=True)) ** 0.5
    return (1 / (1 + np.exp((distance - 1) * 8))).astype(np.float32)


def centroid(mask):
    return np.array([i.mean() for i in np.nonzero(mask)])


@pytest.mark.parametrize("side", ["auto", 1.0, 1.5, 2.0, 3.0, 4.0])
def test_cubic_voxels_and_back_move_no_centroid(side):
    rng = np.random.default_rng(3)
    errors = []
    for _ in range(40):
        center = np.array([11.5, 27.5, 27.5]) + rng.uniform(-2, 2, 3)
        pixels = ellipsoid(center, (7, 19, 17), (24, 56, 56))
        image = ns.Image(pixels, "ZYX", spacing=(2, 1, 1), unit="millimeter")
        labels = ns.segment(image, "manual", value=0.5, filters=[("isotropic", {"side": side})])
        errors.append(centroid(labels.data) - centroid(pixels > 0.5))
    assert np.abs(np.mean(errors, 0)).max() < 0.01
