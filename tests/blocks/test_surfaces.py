"""Surfaces: known volumes and places, outward triangles, any chunking and orientation."""

import dask.array as da
import numpy as np
import pytest

import napari_segment as ns
from napari_segment import Labels
from napari_segment.blocks.surfaces import surfaces
from napari_segment.errors import InputError


def test_one_voxel_is_an_octahedron():
    data = np.zeros((3, 4, 5), np.uint8)
    data[1, 2, 3] = 4
    (surface,) = surfaces(Labels(data, "ZYX", spacing=(2, 1, 0.5), names={4: "spot"}))
    corners = {tuple(np.round(v, 5)) for v in surface.vertices.tolist()}
    assert corners == {
        (1, 2, 1.5), (3, 2, 1.5), (2, 1.5, 1.5), (2, 2.5, 1.5), (2, 2, 1.25), (2, 2, 1.75)
    }  # fmt: skip
    assert (surface.label, surface.name, surface.time) == (4, "spot", 0)
    assert surface.volume() == pytest.approx(2 * 1 * 0.5 / 6)  # of a box around it
    assert len(surface.faces) == 8


def test_a_ball_has_its_volume_and_normals_point_outwards():
    z, y, x = np.mgrid[:40, :60, :60]
    ball = (2 * (z - 20)) ** 2 + (y - 30) ** 2 + (x - 30) ** 2 <= 18**2
    labels = Labels(ball.astype(np.uint8), "ZYX", spacing=(2, 1, 1))
    (surface,) = surfaces(labels)
    assert surface.volume() == pytest.approx(4 / 3 * np.pi * 18**3, rel=0.02)
    triangles = surface.vertices[:, ::-1][surface.faces].astype(float)
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    outward = triangles.mean(1) - (30, 30, 40)
    assert (np.einsum("ij,ij->i", normals, outward) > 0).mean() > 0.99


@pytest.mark.parametrize("flip", [1, -1])
def test_an_affine_moves_and_turns_them(flip):
    data = np.zeros((4, 4, 4), np.uint8)
    data[1:3, 1:3, 1:3] = 1
    affine = np.diag([3.0, 2.0, flip * 0.5, 1.0])
    affine[:3, 3] = 10, 20, 30
    (surface,) = surfaces(Labels(data, "ZYX", affine=affine))
    assert surface.vertices.min(0).tolist()[:2] == [10 + 3 * 0.5, 20 + 2 * 0.5]
    assert surface.vertices.mean(0).tolist() == pytest.approx([14.5, 23, 30 + flip * 0.75])
    assert surface.volume() > 0


def test_blocks_and_time_points_give_the_same():
    rng = np.random.default_rng(0)
    data = np.kron(rng.integers(0, 4, (2, 3, 4, 4)), np.ones((1, 2, 3, 3), int)).astype(np.uint8)
    whole = list(surfaces(Labels(data, "TZYX")))
    lazy = list(surfaces(Labels(da.from_array(data, chunks=(1, 4, 5, 5)), "TZYX")))
    assert [(s.time, s.label) for s in whole] == [(t, i) for t in (0, 1) for i in (1, 2, 3)]
    for one, other in zip(whole, lazy, strict=True):
        assert (one.time, one.label) == (other.time, other.label)
        assert np.array_equal(one.vertices, other.vertices)
    assert len(ns.surfaces(data[0])) == 3


def test_planes_have_none():
    with pytest.raises(InputError, match="axes YX"):
        ns.surfaces(np.ones((4, 4), np.uint8))
