"""Canny against scikit-image in planes, and on spheres in volumes."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import scipy.ndimage as ndi
from skimage.feature import canny as reference

from napari_segment.classical.edges import canny
from napari_segment.errors import SettingError
from napari_segment.registry import methods


def blobs(shape, seed=0):
    rng = np.random.default_rng(seed)
    smooth = ndi.gaussian_filter(rng.random(shape), 4)
    return (smooth > np.median(smooth)) + rng.normal(0, 0.1, shape)


def ball(spacing, radius=20.0, side=60):
    """A ball with its voxels' exact share of intensity, and each voxel's distance to its centre."""
    grid = np.indices([int(side / s) for s in spacing]).astype(float)
    centre = [(n - 1) / 2 * s + 0.13 for n, s in zip(grid.shape[1:], spacing, strict=True)]

    def distance(offset):
        parts = zip(grid, offset, spacing, centre, strict=True)
        return np.sqrt(sum(((g + o) * s - c) ** 2 for g, o, s, c in parts))

    offsets = list(product(np.linspace(-0.4, 0.4, 5), repeat=3))
    image = sum((distance(o) < radius) for o in offsets) / len(offsets)
    return image.astype(np.float32), distance((0, 0, 0))


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_planes_equal_scikit_image_inside(sigma):
    image = blobs((160, 170))
    smooth = ndi.gaussian_filter(image, sigma)
    top = np.hypot(ndi.sobel(smooth, 0), ndi.sobel(smooth, 1)).max()
    expected = reference(image, sigma, 0.1 * top, 0.25 * top)
    inner = (slice(12, -12),) * 2
    assert expected[inner].sum() > 500
    result = canny(image, sigma=sigma, low=0.1, high=0.25)
    assert (result != expected)[inner].sum() <= 2  # weak edges may hang on one at the border


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 1.0, 1.0), (1.0, 1.0, 3.0)])
def test_the_edge_of_a_ball_lies_at_its_radius(spacing):
    image, distance = ball(spacing)
    edge = canny(image, spacing)
    assert abs(distance[edge].mean() - 20) < 0.1
    assert abs(distance[edge] - 20).max() < np.linalg.norm(spacing) * 0.6


def test_infinite_and_missing_values_are_never_edges():
    image = blobs((20, 30, 40))
    image[10, 10, 10], image[5, 20, 30] = np.inf, np.nan
    edge = canny(image)
    for z, y, x in ((10, 10, 10), (5, 20, 30)):
        assert not edge[z - 4 : z + 5, y - 4 : y + 5, x - 4 : x + 5].any()
    assert edge.any()


def test_a_ramp_is_an_edge_everywhere():
    ramp = np.arange(30.0) * np.ones((8, 9, 1))
    assert canny(ramp, sigma=0, low=0.5, high=0.9)[:, :, 2:-2].all()


def test_a_weak_trail_is_followed_round_corners_and_over_borders():
    image = np.zeros((40, 60))
    image[20:, :30] = 1.0
    image[:20, 30:] = 0.5
    image[0, 58] = 3.0
    actual = canny(image, low=0.02, high=0.9)
    labels, _ = ndi.label(canny(image, low=0.02, high=0.02), np.ones((3, 3)))
    strong = np.unique(labels[canny(image, low=0.9, high=0.9)])
    np.testing.assert_array_equal(actual, np.isin(labels, strong[strong > 0]))


def test_the_edge_of_a_ball_is_closed():
    edge = canny(ball((1.0, 1.0, 1.0))[0])
    assert ndi.binary_fill_holes(edge)[30, 30, 30]


def test_a_volume_of_one_plane_is_a_plane():
    image = blobs((80, 90))
    np.testing.assert_array_equal(canny(image[None])[0], canny(image))


def test_hysteresis_keeps_weak_edges_only_with_strong_ones():
    image = np.zeros((40, 60))
    image[:, 20:] = 1.0
    image[:20, 45:] = 1.2  # a weak edge that touches nothing
    strict = canny(image, low=0.1, high=0.5)
    loose = canny(image, low=0.1, high=0.1)
    assert strict[10, 19:21].all()
    assert not strict[10, 40:].any()
    assert loose[10, 40:].any()


def test_settings_are_exactly_these():
    assert list(methods["canny"].settings.model_fields) == ["sigma", "low", "high"]


def test_low_above_high_is_refused():
    with pytest.raises(SettingError, match="at most"):
        canny(np.ones((4, 4)), low=0.5, high=0.2)
