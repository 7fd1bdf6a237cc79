"""Surfaces, meshes and hulls of objects."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
from shared.blobs import intensities

from napari_segment.image import Labels
from napari_segment.results.measure import measure


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 1.0, 1.0), (0.5, 2.0, 1.0)])
@pytest.mark.parametrize("radius", [10, 16])
def test_a_ball_has_its_volume_and_surface(spacing, radius):
    sides = [np.arange(-radius - 2, radius + 2.01, s) + 0.2 for s in spacing]
    ball = sum(x**2 for x in np.meshgrid(*sides, indexing="ij")) <= radius**2
    table = measure(
        Labels(ball, spacing=spacing), properties=("size", "surface", "roundness", "euler_number")
    )
    np.testing.assert_allclose(table["volume"], 4 / 3 * np.pi * radius**3, rtol=0.02)
    np.testing.assert_allclose(table["surface_area"], 4 * np.pi * radius**2, rtol=0.02)
    np.testing.assert_allclose(table["sphericity"], 1, rtol=0.02)
    assert table["euler_number"].tolist() == [1]


def test_perimeter_of_a_disc_with_a_hole():
    y, x = np.mgrid[-40:41, -40:41]
    r = np.hypot(y, x)
    table = measure((r <= 35) & (r > 15), properties="shape")
    np.testing.assert_allclose(table["perimeter"], 2 * np.pi * (35 + 15), rtol=0.02)
    assert table["euler_number"].tolist() == [0]


@pytest.mark.parametrize("which", ["labels", "image", "both"])
def test_details_read_each_block_a_few_times_for_all_objects(which):
    labels = np.kron(np.arange(1, 101).reshape(10, 10), np.pad(np.ones((4, 5), int), 1))
    image = intensities(labels.shape)
    seen = []

    def read(block):
        seen.append(block.shape)
        return block

    def lazy(array):
        return da.from_array(array, chunks=40).map_blocks(read, dtype=array.dtype, meta=array[:0])

    expected = measure(labels, image, properties="detail")
    given = labels if which == "image" else lazy(labels)
    table = measure(given, image if which == "labels" else lazy(image), properties="detail")
    pd.testing.assert_frame_equal(table, expected)
    assert 0 < len(seen) <= 10 * lazy(labels).npartitions


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 1.0, 1.0)])
def test_details_of_a_ball(spacing):
    radius = 14
    sides = [np.arange(-radius - 2, radius + 2.01, s) + 0.2 for s in spacing]
    ball = sum(x**2 for x in np.meshgrid(*sides, indexing="ij")) <= radius**2
    row = measure(Labels(ball, spacing=spacing), properties="detail").iloc[0]
    np.testing.assert_allclose(row.mesh_area, 4 * np.pi * radius**2, rtol=0.02)
    np.testing.assert_allclose(row.inscribed_radius, radius, atol=1)
    np.testing.assert_allclose(row.feret_diameter, 2 * radius, atol=np.linalg.norm(spacing) + 0.5)
    assert 0.85 < row.solidity <= 1


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 1.0, 1.0), (2.0, 0.5, 1.0)])
@pytest.mark.parametrize("radius", [8, 14])
def test_mesh_of_balls_between_voxels(spacing, radius):
    random = np.random.default_rng(0)
    for _ in range(3):
        shift = random.uniform(-0.5, 0.5, 3) * spacing
        sides = [
            np.arange(-(radius // s) - 2, radius // s + 3) * s + a
            for s, a in zip(spacing, shift, strict=True)
        ]
        ball = sum(x**2 for x in np.meshgrid(*sides, indexing="ij")) <= radius**2
        row = measure(Labels(ball, spacing=spacing), properties=("mesh_surface",)).iloc[0]
        np.testing.assert_allclose(row.mesh_area, 4 * np.pi * radius**2, rtol=0.02)


def test_details_of_a_box_are_exact():
    box = np.zeros((6, 9, 8), np.uint8)
    box[1:4, 2:8, 2:6] = 3
    image = np.arange(box.size).reshape(box.shape)
    spacing = (2.0, 1.0, 0.5)
    row = measure(Labels(box, spacing=spacing), image, properties=("detail", "size")).iloc[0]
    assert row.convex_volume == row.volume == 6 * 6 * 2
    assert row.solidity == 1
    np.testing.assert_allclose(row.feret_diameter, np.sqrt(36 + 36 + 4))
    assert row.quantile_intensity_q50 == np.median(image[box > 0])
    assert row.quantile_intensity_q25 == np.percentile(image[box > 0], 25)
    contour = measure(box[2], properties=("mesh_surface",)).iloc[0].contour_length
    np.testing.assert_allclose(contour, 20, rtol=0.15)  # the corners are rounded
