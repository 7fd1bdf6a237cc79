"""Sub-voxel positions of edges."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segment.classical.edges import canny, edge_positions


def ellipsoid(radii, spacing, offset):
    """An ellipsoid with its voxels' exact share of intensity, and its centre."""
    fine = 5
    shape = [int(2 * (max(radii) + 7) / s) | 1 for s in spacing]
    centre = [n // 2 * s + o for n, s, o in zip(shape, spacing, offset, strict=True)]
    offsets = (np.arange(fine) - (fine - 1) / 2) / fine
    squares = [
        (((np.arange(n)[:, None] + offsets).ravel() * s - c) / r) ** 2
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
    actual = edge_positions(image, spacing, sigma=sigma)
    assert len(actual) == canny(image, spacing, sigma=sigma).sum()
    away = (actual - centre) / radii
    length = np.linalg.norm(away, axis=1)
    error = (length - 1) * length / np.linalg.norm(away / radii, axis=1)  # to first order
    assert np.abs(error).max() < 0.25
    assert np.sqrt((error**2).mean()) < 0.1
    assert abs(error.mean()) < 0.05


def test_positions_of_a_circle_are_not_drawn_to_its_centre():
    y, x = np.indices((50, 50)) - 24.7
    image = np.clip(10.5 - np.hypot(y, x), 0, 1)
    for sigma in (1.0, 2.0, 3.0):
        actual = edge_positions(image, sigma=sigma)
        assert abs(np.linalg.norm(actual - 24.7, axis=1).mean() - 10) < 0.08


def test_positions_of_a_blurred_step_in_a_plane():
    position = 20.37
    image = np.clip(np.arange(40) - (position - 0.5), 0, 1) * np.ones((30, 1))
    np.testing.assert_allclose(edge_positions(image)[:, 1], position, atol=0.02)
    assert edge_positions(np.zeros((5, 6))).shape == (0, 2)
