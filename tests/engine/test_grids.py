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


@pytest.mark.parametrize("side", ["auto", 1.0, 1.5, 2.0, 3.0, 4.0, 6.0])
def test_cubic_voxels_and_back_move_no_centroid(side):
    """The mean error over 20 ellipsoids and their mirror images about a voxel of every grid.

    What the coarse grid rounds off is as large to one side as to the other in each pair, so that
    the mean is what moves all labels.
    """
    rng = np.random.default_rng(3)
    middle = np.array([12, 24, 24])
    errors = []
    for shift, radii in zip(rng.uniform(-2, 2, (20, 3)), rng.uniform(5, 7, 20), strict=True):
        for center in (middle + shift, middle - shift):
            pixels = ellipsoid(center, (radii, 3 * radii, 2.5 * radii), (25, 49, 49))
            image = ns.Image(pixels, "ZYX", spacing=(2, 1, 1), unit="millimeter")
            labels = ns.segment(image, "manual", value=0.5, filters=[("isotropic", {"side": side})])
            errors.append(centroid(labels.data) - centroid(pixels > 0.5))
    assert np.abs(np.mean(errors, 0)).max() < 0.005
