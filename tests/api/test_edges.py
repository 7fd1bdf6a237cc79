"""Points on edges: where they lie in the world, through time, and on blocks."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
from shared.ball import CENTRE, RADIUS, SPACING, deep_ball

from napari_segment import Image, edge_points
from napari_segment.api import edge_point_steps, recipe_of
from napari_segment.classical.edges import edge_positions
from napari_segment.classical.edges.positions import edge_points as located
from napari_segment.errors import InputError


@pytest.fixture(scope="module")
def ball():
    return deep_ball()


def from_centre(table, centre=CENTRE):
    return table[["z", "y", "x"]].to_numpy() - centre


def test_points_lie_on_the_surface_and_normals_point_inwards(ball):
    table = edge_points(ball, sigma=1.0)
    assert list(table) == ["z", "y", "x", "normal_z", "normal_y", "normal_x", "magnitude"]
    assert table.attrs["units"] == dict.fromkeys("zyx", "micrometer")
    np.testing.assert_allclose(table[["z", "y", "x"]], edge_positions(ball.data, SPACING))
    away = from_centre(table)
    distance = np.linalg.norm(away, axis=1)
    assert np.sqrt(np.mean((distance - RADIUS) ** 2)) < 0.2
    normals = table[["normal_z", "normal_y", "normal_x"]].to_numpy()
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1)
    assert (-(normals * away).sum(1) / distance).min() > 0.9


def test_magnitude_is_the_slope_in_intensity_per_unit():
    x = np.arange(40) * 0.5
    ramp = np.tile(np.clip(x - 8, 0, 4) * 7, (30, 1))
    table = edge_points(Image(ramp, "YX", (0.5, 0.5)), sigma=0.5, low=0.99, high=0.99)
    np.testing.assert_allclose(table["magnitude"], 7, rtol=1e-3)
    np.testing.assert_allclose(table["normal_x"], 1, atol=1e-9)


def test_an_affine_turns_points_and_normals(ball):
    turn = np.array([[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn * SPACING, (5, 6, 7)
    plain, turned = edge_points(ball), edge_points(ball.replace(affine=affine))
    for names in (["z", "y", "x"], ["normal_z", "normal_y", "normal_x"]):
        shift = np.array((5, 6, 7)) * (names[0] == "z")
        expected = plain[names].to_numpy() @ turn.T + shift
        np.testing.assert_allclose(turned[names], expected, atol=1e-9)


@pytest.mark.parametrize("chunks", [(4, 13, 17), (15, 31, 8)])
@pytest.mark.parametrize("apply_to", ["auto", "plane"])
def test_blocks_give_the_same(ball, chunks, apply_to):
    noisy = ball.data + np.random.default_rng(0).normal(0, 60, ball.data.shape).astype(np.float32)
    whole, lazy = ball.replace(data=noisy), ball.replace(data=da.from_array(noisy, chunks))
    settings = {"apply_to": apply_to, "cleanups": ["connected_components"]}
    expected, actual = edge_points(whole, **settings), edge_points(lazy, **settings)
    assert len(expected) > 500
    pd.testing.assert_frame_equal(actual, expected, atol=1e-6)
    assert expected["label"].min() == 1


def test_blocks_reach_as_far_as_wide_smoothing_does():
    noisy = np.repeat([[0.0], [500.0]], 40, 0) + np.random.default_rng(1).normal(0, 90, (80, 300))
    marked = np.zeros(noisy.shape, bool)
    marked[40] = True
    expected = located(noisy, marked, sigma=25.0)
    assert np.abs(expected.positions[:, 0] - 39.5).max() < 0.5  # not as far as moves are cut off
    lazy = da.from_array(noisy, (80, 13))
    actual = located(lazy, da.from_array(marked, lazy.chunks), sigma=25.0)
    np.testing.assert_allclose(actual.positions, expected.positions, atol=1e-9)


def test_planes_a_thousand_times_as_far_apart_as_voxels():
    stack = np.zeros((3, 12, 15), np.float32)
    stack[:, :, 7:] = 100
    table = edge_points(Image(stack, "ZYX", (2000.0, 1.0, 1.0)))
    assert abs(table["x"] - 6.5).max() <= 0.5
    assert set(table["z"]) == {0, 2000, 4000}


def test_planes_have_edges_in_their_plane(ball):
    table = edge_points(ball, apply_to="plane")
    assert set(table["z"]) <= set(3.0 * np.arange(15))
    assert not table["normal_z"].any()


def test_time_points_and_the_order_of_axes(ball):
    empty = np.zeros_like(ball.data)
    film = np.stack([empty, ball.data, ball.data])
    one = edge_points(ball)
    table = edge_points(Image(film, "TZYX", SPACING))
    assert list(table["time"].unique()) == [1, 2]
    np.testing.assert_allclose(table.loc[table["time"] == 2, "x"], one["x"])
    later = edge_points(Image(film, "TZYX", SPACING), times=(2, 3))
    assert list(later["time"].unique()) == [2]
    moved = Image(film.transpose(2, 3, 0, 1), "YXTZ", (1.0, 1.0, 3.0))
    pd.testing.assert_frame_equal(edge_points(moved), table, check_exact=False)


def test_channels_filters_and_cleanups(ball):
    both = Image(np.stack([np.zeros_like(ball.data), ball.data]), "CZYX", SPACING)
    np.testing.assert_allclose(edge_points(both, channel=1)["x"], edge_points(ball)["x"])
    with pytest.raises(InputError, match="channels"):
        edge_points(both)
    cubic = edge_points(ball, filters=["isotropic"])
    assert len(cubic) > 1.5 * len(edge_points(ball))
    assert abs(np.linalg.norm(from_centre(cubic), axis=1).mean() - RADIUS) < 0.3
    none = edge_points(ball, cleanups=[("remove_small", {"min_size": 1e6})])
    assert list(none) == list(cubic)
    assert len(none) == 0


def test_marked_voxels_without_a_gradient_stay_where_they_are():
    actual = located(np.zeros((4, 5)), np.eye(4, 5, dtype=bool))
    np.testing.assert_array_equal(actual.positions, actual.voxels)
    assert not actual.normals.any()


def test_what_has_no_such_points_is_refused(ball):
    with pytest.raises(InputError, match="method is 'otsu'"):
        list(edge_point_steps(ball, recipe_of("otsu")))
    with pytest.raises(InputError, match="planes or volumes"):
        edge_points(ball, apply_to="directions")
