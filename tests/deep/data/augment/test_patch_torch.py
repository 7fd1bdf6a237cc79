"""Random changes are drawn numbers and fixed changes: a sample can be made again."""

import numpy as np
import pytest
import torch

from napari_segment.deep.data.augment import (
    STRENGTHS,
    Augmentation,
    Change,
    Intensity,
    Spatial,
    draw,
)
from napari_segment.deep.data.augment.patch_torch import changed_patch, finish, piece
from napari_segment.deep.data.augment.warp_torch import (
    grid_of,
    interpolated,
    nearest,
    reach,
)
from napari_segment.deep.data.patches import (
    cut,
    generator,
)

STRONG = Augmentation.of("strong", ("spatial=1", "intensity=1"))


def volume(ndim=3, side=20):
    rng = np.random.default_rng(0)
    image = rng.normal(size=(2, *(side,) * ndim)).astype(np.float32)
    target = rng.integers(0, 3, (1, *(side,) * ndim)).astype(np.int16)
    return image, target


def warp(image, target, corner, sides, change):
    """A patch through the grid, also where a plain cut would do."""
    block = reach(corner, sides, change, image.shape[1:])
    grid = grid_of(corner, sides, change, block, torch.device("cpu"))
    part, marks = (torch.from_numpy(a[(slice(None), *block)].copy()) for a in (image, target))
    return interpolated(part, grid).numpy(), nearest(marks, grid).numpy()


def still(ndim):
    return Spatial((False,) * ndim, np.eye(ndim, dtype=np.float32))


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_same_numbers_make_the_same_patch(ndim):
    image, target = volume(ndim)
    original = image.copy()
    make = lambda: changed_patch(  # noqa: E731
        image, target, (3,) * ndim, (12,) * ndim, draw(STRONG, generator(1, 2, 3), ndim)
    )
    first, second = make(), make()
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    assert first[0].dtype == np.float32
    assert first[1].dtype == target.dtype
    np.testing.assert_array_equal(image, original)


def test_none_is_a_plain_cut():
    image, target = volume()
    change = draw(Augmentation.of("none"), generator(0, 0, 0), 3)
    pixels, wanted = changed_patch(image, target, (2, 3, 4), (5, 6, 7), change)
    np.testing.assert_array_equal(pixels, image[:, 2:7, 3:9, 4:11])
    np.testing.assert_array_equal(wanted, target[:, 2:7, 3:9, 4:11])


def test_beyond_the_image_its_border_is_repeated_and_nothing_is_asked():
    image, target = volume(2, 6)
    change = Change(still(2), Intensity())
    pixels, wanted = changed_patch(image, target, (-2, 1), (10, 4), change)
    assert (wanted[0, :2] == -1).all()
    assert (wanted[0, 8:] == -1).all()
    np.testing.assert_array_equal(pixels[:, 0], image[:, 0, 1:5])
    np.testing.assert_array_equal(wanted[0, 2:8], target[0, :, 1:5])


@pytest.mark.parametrize("corner", [(0, 0), (-3, 2)])
def test_a_warp_by_nothing_is_the_plain_cut(corner):
    image, target = volume(2, 9)
    pixels, wanted = warp(image, target, corner, (8, 6), still(2))
    np.testing.assert_allclose(pixels, cut(image, corner, (8, 6)), atol=1e-4)
    np.testing.assert_array_equal(wanted, cut(target, corner, (8, 6), outside=-1))


def test_a_quarter_turn_moves_image_and_target_alike():
    image, target = volume(2, 8)
    turn = np.array([[0, -1], [1, 0]], np.float32)
    pixels, wanted = warp(image, target, (0, 0), (8, 8), Spatial((False, False), turn))
    np.testing.assert_allclose(pixels, np.rot90(image, -1, (1, 2)), atol=1e-4)
    np.testing.assert_array_equal(wanted, np.rot90(target, -1, (1, 2)))


def test_flips_go_with_the_target():
    image, target = volume(3, 6)
    change = Change(Spatial((True, False, True), np.eye(3, dtype=np.float32)), Intensity())
    pixels, wanted = changed_patch(image, target, (0, 0, 0), (6, 6, 6), change)
    np.testing.assert_array_equal(pixels, image[:, ::-1, :, ::-1])
    np.testing.assert_array_equal(wanted, target[:, ::-1, :, ::-1])


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 7, 9), (1, 5, 4, 6)])
def test_every_strength_takes_every_shape(strength, shape):
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    target = np.ones((1, *shape[1:]), np.int16)
    for i in range(8):
        change = draw(Augmentation.of(strength), generator(0, 0, i), len(shape) - 1)
        pixels, wanted = changed_patch(image, target, (0,) * (len(shape) - 1), shape[1:], change)
        assert pixels.shape == shape
        assert np.isfinite(pixels).all()
        assert set(np.unique(wanted)) <= {-1, 1}


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_patch_needs_no_more_of_a_case_than_it_reaches(ndim):
    """Far from the border a patch is the same out of its part as out of the whole case."""
    image, target = volume(ndim, 48)
    for index in range(12):
        change = draw(STRONG, generator(0, 1, index), ndim).spatial
        corner, sides = (16,) * ndim, (14,) * ndim
        whole = grid_of(corner, sides, change, [slice(0, 48)] * ndim, torch.device("cpu"))
        pixels, wanted = warp(image, target, corner, sides, change)
        expected = interpolated(torch.from_numpy(image), whole).numpy()
        np.testing.assert_allclose(pixels, expected, atol=1e-3)
        assert np.mean(wanted == nearest(torch.from_numpy(target), whole).numpy()) > 0.99


def test_maps_are_sampled_like_the_image():
    image, target = volume(3)
    change = draw(
        Augmentation(flip=0.5, rotate=30, scale=0.3, elastic=1, spatial=1), generator(0, 0, 3), 3
    )
    made = piece(image, target, image, (3, 2, 1), (9, 10, 11), change)
    pixels, _, maps = finish([made, made], torch.device("cpu"))
    assert pixels.shape == (2, 2, 9, 10, 11)
    torch.testing.assert_close(pixels, maps)
