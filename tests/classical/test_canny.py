"""Canny against scikit-image in planes, and on spheres in volumes."""

from __future__ import annotations

import importlib
from itertools import product

import numpy as np
import pytest
import scipy.ndimage as ndi
from skimage.feature import canny as reference

from napari_segment.classical.edges import canny, edge_positions
from napari_segment.errors import SettingError
from napari_segment.registry import filters, methods


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


def ellipsoid(radii, spacing, offset):
    """An ellipsoid with its voxels' exact share of intensity, and its centre."""
    fine = 5
    shape = [int(2 * (max(radii) + 7) / s) | 1 for s in spacing]
    centre = [n // 2 * s + o for n, s, o in zip(shape, spacing, offset, strict=True)]
    places = (np.arange(fine) - (fine - 1) / 2) / fine
    squares = [
        (((np.arange(n)[:, None] + places).ravel() * s - c) / r) ** 2
        for n, s, c, r in zip(shape, spacing, centre, radii, strict=True)
    ]
    inside = squares[0][:, None, None] + squares[1][:, None] + squares[2] <= 1
    shares = inside.reshape([m for n in shape for m in (n, fine)])
    return shares.mean((1, 3, 5), dtype=np.float32), centre


@pytest.mark.parametrize("sigma", [1.0, 1.5])
@pytest.mark.parametrize(
    ("radii", "spacing", "offset"),
    [
        ((20, 20, 20), (1, 1, 1), (0.4, 0.3, 0.2)),
        ((12, 12, 12), (1, 1, 1), (0.4, 0.3, 0.2)),
        ((20, 20, 20), (3, 1, 1), (0.4, 0.3, 0.2)),
        ((12, 12, 12), (3, 1, 1), (1.5, 0.5, 0.25)),
        ((16, 16, 16), (1, 3, 1), (0.2, 0.7, 0.1)),
        ((24, 16, 20), (3, 1, 1), (0.4, 0.3, 0.2)),
    ],
)
def test_positions_lie_on_the_surface_to_a_quarter_of_a_voxel(radii, spacing, offset, sigma):
    image, centre = ellipsoid(radii, spacing, offset)
    found = edge_positions(image, spacing, sigma=sigma)
    assert len(found) == canny(image, spacing, sigma=sigma).sum()
    away = (found - centre) / radii
    length = np.linalg.norm(away, axis=1)
    error = (length - 1) * length / np.linalg.norm(away / radii, axis=1)  # to first order
    assert np.abs(error).max() < 0.25
    assert np.sqrt((error**2).mean()) < 0.1
    assert abs(error.mean()) < 0.05


def test_positions_of_a_circle_are_not_drawn_to_its_centre():
    y, x = np.indices((50, 50)) - 24.7
    image = np.clip(10.5 - np.hypot(y, x), 0, 1)
    for sigma in (1.0, 2.0, 3.0):
        found = edge_positions(image, sigma=sigma)
        assert abs(np.linalg.norm(found - 24.7, axis=1).mean() - 10) < 0.08


def test_positions_of_a_blurred_step_in_a_plane():
    place = 20.37
    image = np.clip(np.arange(40) - (place - 0.5), 0, 1) * np.ones((30, 1))
    np.testing.assert_allclose(edge_positions(image)[:, 1], place, atol=0.02)
    assert edge_positions(np.zeros((5, 6))).shape == (0, 2)


def by_definition(image, spacing, sigma, low, high):
    """Ridges of the gradient, interpolated by SciPy, and hysteresis over its components."""
    smooth = filters["gaussian"](image, spacing, sigma=sigma).astype(float)
    slope = np.stack([filters["sobel"](smooth, spacing, response=axis) for axis in "zyx"])
    strength = np.sqrt((slope**2).sum(0))
    step = slope / np.reshape(spacing, (3, 1, 1, 1))
    step /= np.maximum(np.abs(step).max(0), 1e-30)
    here = np.indices(image.shape)
    around = [
        ndi.map_coordinates(strength, here + side * step, order=1, mode="nearest")
        for side in (-1, 1)
    ]
    ridge = (strength > 0) & (strength >= np.maximum(*around) * (1 - 1e-12))
    clear = np.abs(strength - np.maximum(*around)) > 1e-4 * strength.max()
    labels, _ = ndi.label(ridge & (strength >= low * strength.max()), np.ones((3, 3, 3)))
    strong = np.unique(labels[ridge & (strength >= high * strength.max())])
    return np.isin(labels, strong[strong > 0]), clear


@pytest.mark.parametrize("dtype", [np.float32, np.uint16, np.float64])
@pytest.mark.parametrize("shape", [(30, 40, 50), (3, 90, 20), (70, 5, 33), (2, 200, 9)])
def test_volumes_are_what_the_definition_says(shape, dtype):
    image = (1000 * (2 + blobs(shape, seed=3))).astype(dtype)
    spacing = (1.5, 1.0, 0.7)
    expected, clear = by_definition(image, spacing, 1.0, 0.2, 0.2)
    result = canny(image, spacing, low=0.2, high=0.2)
    assert result.sum() > 50
    np.testing.assert_array_equal(result[clear], expected[clear])


@pytest.mark.parametrize("cores", ["1", "3"])
def test_how_the_work_is_cut_makes_no_difference(monkeypatch, cores):
    image = blobs((40, 70, 60)).astype(np.float32)
    expected = canny(image)
    boxes = importlib.import_module("napari_segment.classical.edges.thinning")
    monkeypatch.setenv("NAPARI_SEGMENT_THREADS", cores)
    monkeypatch.setattr(boxes, "_CACHE", 1)
    monkeypatch.setattr(boxes, "_THICKEST", 17)
    assert len(boxes._boxes(image.shape, 6, 4)) > 20
    np.testing.assert_array_equal(canny(image), expected)
    np.testing.assert_array_equal(canny(np.asfortranarray(image)), expected)
    np.testing.assert_array_equal(canny(image.astype(">f4")), expected)


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
    found = canny(image, low=0.02, high=0.9)
    labels, _ = ndi.label(canny(image, low=0.02, high=0.02), np.ones((3, 3)))
    strong = np.unique(labels[canny(image, low=0.9, high=0.9)])
    np.testing.assert_array_equal(found, np.isin(labels, strong[strong > 0]))


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
