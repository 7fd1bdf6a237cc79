"""Regions from edges: known shapes in noise, scikit-image, markers, and what is refused."""

from __future__ import annotations

from types import SimpleNamespace

import dask.array as da
import numpy as np
import pytest
import scipy.ndimage as ndi
import skimage.segmentation

from napari_segment.classical.regions.watershed import flooded
from napari_segment.classical.regions.watershed_kernels import minima
from napari_segment.errors import InputError, SettingError
from napari_segment.registry import methods
from napari_segment.step import Step, run

RNG = np.random.default_rng(2)


def balls(ndim, noise=5.0):
    """Two separate bright balls on a dark ground: their numbers, and an image of them."""
    shape = (40, 44, 70)[-ndim:] if ndim == 2 else (26, 30, 56)
    grid = np.indices(shape)
    truth = np.zeros(shape, np.uint8)
    for number, x in ((1, 16), (2, 40)):
        centre = (*(n // 2 for n in shape[:-1]), x)
        distance = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True))
        truth[distance <= 9**2] = number
    image = 20 + 100 * (truth > 0) + RNG.normal(0, noise, shape)
    return truth, image.astype(np.float32)


def dice(a, b):
    return 2 * np.sum(a & b) / (a.sum() + b.sum())


BOTH = pytest.mark.parametrize("ndim", [2, 3])


def answer(result):
    return run(result) if hasattr(result, "send") else result


@BOTH
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("fill_contours", {"sigma": 1.5, "low": 0.2, "high": 0.4}),
        ("chan_vese", {}),
        ("geodesic_contours", {"sigma": 1.5}),
        ("random_walker", {}),
    ],
)
def test_balls_in_noise_are_found(name, settings, ndim):
    truth, image = balls(ndim)
    result = answer(methods[name](image, **settings))
    assert result.shape == image.shape
    assert dice(result > 0, truth > 0) > 0.93
    assert ndi.label(result)[1] == 2


@BOTH
def test_watershed_by_hand_gives_the_numbers_of_the_markers(ndim):
    truth, image = balls(ndim)
    markers = np.zeros(image.shape, np.int32)
    middle = tuple(n // 2 for n in image.shape[:-1])
    markers[(*middle, 16)], markers[(*middle, 40)], markers[(0,) * ndim] = 7, 5, 9
    result = methods["watershed"](image, (1.0,) * ndim, markers, sigma=1.5)
    assert set(np.unique(result)) == {5, 7, 9}
    assert dice(result == 7, truth == 1) > 0.93
    assert dice(result == 5, truth == 2) > 0.93


@BOTH
def test_watershed_alone_finds_the_deep_basins(ndim):
    truth, image = balls(ndim)
    result = methods["watershed"](image, sigma=2.0, depth=0.3)
    assert result.max() == 3
    for number in (1, 2):
        inside = np.bincount(result[truth == number]).argmax()
        assert dice(result == inside, truth == number) > 0.9


@BOTH
def test_flooding_equals_scikit_image_where_levels_differ(ndim):
    shape = (12, 13, 14)[-ndim:]
    levels = RNG.permutation(int(np.prod(shape))).reshape(shape).astype(np.uint16)
    markers = np.zeros(shape, np.int64)
    markers.flat[RNG.choice(markers.size, 6, replace=False)] = np.arange(1, 7)
    expected = skimage.segmentation.watershed(levels, markers)
    ours = markers.reshape((1,) * (3 - ndim) + shape).copy()
    flooded(levels.reshape(ours.shape), ours, levels.size)
    assert (ours.reshape(shape) == expected).mean() > 0.97


def test_minima_are_those_of_their_depth():
    levels = np.array([[[5, 1, 4, 3, 6, 0, 9, 8, 9]]], np.uint16)
    for depth, expected in ((1, [1, 3, 5, 7]), (2, [1, 5]), (5, [1, 5]), (6, [5])):
        marks, given = np.empty(levels.shape, np.int32), levels.copy()
        minima(given, 10, depth, marks)
        assert np.flatnonzero(marks).tolist() == expected
        assert marks[marks > 0].tolist() == list(range(1, len(expected) + 1))
        np.testing.assert_array_equal(given, levels)


@pytest.mark.parametrize("dtype", ["f4", "f8", ">f4"])
@pytest.mark.parametrize("size", ["tiny", "max"])
@pytest.mark.parametrize("name", ["watershed", "geodesic_contours"])
def test_gradients_whose_squares_have_no_room_are_like_others(name, dtype, size):
    _, image = balls(2)
    given = {}
    if name == "watershed":
        given["markers"] = np.zeros(image.shape, np.uint8)
        given["markers"][[0, 20, 20], [0, 16, 40]] = 1, 2, 3
    image = image.astype(float) / np.abs(image).max()
    extreme = (image * float(getattr(np.finfo(dtype), size))).astype(dtype)
    assert np.isfinite(extreme).all()
    found, expected = (methods[name](i, sigma=1.5, **given) for i in (extreme, image))
    found, expected = (run(f) if hasattr(f, "send") else f for f in (found, expected))
    assert len(np.unique(expected)) > 1
    assert (found == expected).mean() > 0.99  # levels are rounded otherwise


@pytest.mark.filterwarnings("error")
def test_chan_vese_begins_at_the_mean_of_great_intensities():
    truth, image = balls(2)
    huge = image / image.max() * np.finfo(np.float32).max
    assert dice(run(methods["chan_vese"](huge)), truth > 0) > 0.93


def test_chan_vese_agrees_with_scikit_image():
    _, image = balls(2, noise=20.0)
    start = np.zeros(image.shape, np.int8)
    start[10:30, 10:50] = 1
    expected = skimage.segmentation.morphological_chan_vese(
        image.astype(float), 60, init_level_set=start, smoothing=1
    )
    result = run(methods["chan_vese"](image, start, iterations=60))
    assert dice(result, expected > 0) > 0.97


def test_contours_grow_from_markers():
    truth, image = balls(2)
    start = np.zeros(image.shape, np.uint8)
    start[20:24, 14:18] = 1
    result = run(methods["geodesic_contours"](image, (1, 1), start, balloon="grow", sigma=1.5))
    assert dice(result, truth == 1) > 0.85


def test_contours_yield_steps_and_can_be_cancelled():
    steps = methods["chan_vese"](balls(2)[1], iterations=5)
    step = next(steps)
    assert isinstance(step, Step)
    assert step.done == 1
    assert 0 < step.numbers["inside"] < 1
    steps.close()


def test_random_walker_keeps_the_numbers_of_the_markers():
    truth, image = balls(2)
    markers = np.zeros(image.shape, np.uint16)
    markers[22, 16], markers[22, 40], markers[0, 0] = 300, 4, 2
    result = methods["random_walker"](image, (2.0, 2.0), markers)
    assert set(np.unique(result)) == {2, 4, 300}
    assert dice(result == 300, truth == 1) > 0.93


@BOTH
@pytest.mark.parametrize("value", [0, 7, 0.1])
def test_random_walks_through_one_intensity_end_at_the_nearer_marker(ndim, value):
    markers = np.zeros((9, 21, 31)[-ndim:], np.uint8)
    middle = tuple(n // 2 for n in markers.shape[:-1])
    markers[(*middle, 5)], markers[(*middle, 25)] = 1, 2
    result = methods["random_walker"](np.full(markers.shape, value), (1.0,) * ndim, markers)
    assert (result[..., :15] == 1).all()
    assert (result[..., 16:] == 2).all()


@BOTH
def test_superpixels_cover_the_image_and_keep_to_edges(ndim):
    truth, image = balls(ndim)
    result = methods["slic"](image, segments=60, sigma=0.5)
    assert result.min() == 1
    assert 15 < len(np.unique(result)) < 120
    majority = ndi.labeled_comprehension(
        truth > 0, result, np.arange(result.max() + 1), np.mean, float, 0
    )
    assert ((majority[result] > 0.5) == (truth > 0)).mean() > 0.97


@BOTH
def test_superpixels_do_not_depend_on_the_unit(ndim):
    _, image = balls(ndim)
    spacing = (3.0, 1.0, 2.0)[-ndim:]
    expected = methods["slic"](image, spacing, sigma=0.7)
    for unit in (1e-9, 0.125, 1e6):
        scaled = [s * unit for s in spacing]
        result = methods["slic"](image, scaled, sigma=0.7 * unit)
        assert (result == expected).mean() > 0.99
    with pytest.raises(SettingError, match="voxels"):
        methods["slic"](image, scaled, sigma=1e12)


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("slic", "compactness", 1e-300),
        ("felzenszwalb", "sigma", 1e9),
        ("random_walker", "tolerance", 1e-300),
    ],
)
def test_settings_that_cannot_be_met_are_refused(name, setting, value):
    with pytest.raises(SettingError, match=setting):
        methods[name].validate({setting: value})


def test_felzenszwalb_separates_the_discs():
    truth, image = balls(2)
    result = methods["felzenszwalb"](image, scale=200, min_size=100)
    assert result.min() == 1
    assert len(np.unique(result[truth == 1])) <= 2
    assert methods["felzenszwalb"].ndim == (2,)


@pytest.mark.parametrize("chunks", [(11, 13), (40, 7)])
def test_filled_contours_on_blocks_equal_the_whole(chunks):
    image = balls(2)[1]
    settings = {"sigma": 1.5, "low": 0.2, "high": 0.4}
    for gap in (0.0, 3.0):
        lazy = methods["fill_contours"](
            da.from_array(image, chunks=chunks), max_gap=gap, **settings
        )
        expected = methods["fill_contours"](image, max_gap=gap, **settings)
        np.testing.assert_array_equal(lazy.compute(), expected)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_contours_of_a_volume_of_one_plane_are_filled(axis):
    image = balls(2)[1]
    settings = {"sigma": 1.5, "low": 0.2, "high": 0.4}
    expected = methods["fill_contours"](image, max_gap=2.0, **settings)
    assert expected.any()
    for array in (image, da.from_array(image, chunks=(11, 30))):
        volume = array[(slice(None),) * axis + (None,)]
        result = methods["fill_contours"](volume, max_gap=2.0, **settings)
        np.testing.assert_array_equal(np.squeeze(np.asarray(result)), expected)
    assert not methods["fill_contours"](np.ones((1, 1, 5))).any()
    assert not methods["fill_contours"](np.ones((1, 1, 1))).any()


def test_a_gap_is_closed():
    y, x = np.mgrid[:60, :60]
    image = (np.hypot(y - 30, x - 30) < 20).astype(float)
    image[28:33, 30:] = np.linspace(1, 0, 30)  # the edge fades out
    open_ = methods["fill_contours"](image, low=0.3, high=0.5)
    closed = methods["fill_contours"](image, low=0.3, high=0.5, max_gap=12.0)
    assert not open_[30, 20]
    assert closed[30, 20]


@BOTH
@pytest.mark.parametrize("name", ["watershed", "random_walker", "chan_vese", "geodesic_contours"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.uint64, ">u2", bool])
def test_markers_may_be_any_integers_in_any_order_of_memory(name, dtype, ndim):
    image = balls(ndim)[1]
    markers = np.zeros(image.shape, np.uint8)
    middle = tuple(n // 2 for n in image.shape[:-1])
    markers[(*middle, 16)], markers[(0,) * ndim] = 1, 1 if dtype is bool else 2
    entry = methods[name]
    expected = answer(entry.function(image, markers=markers, **entry.validate({})))
    for given in (markers.astype(dtype), np.asfortranarray(markers.astype(dtype))):
        found = answer(entry.function(np.asfortranarray(image), markers=given))
        np.testing.assert_array_equal(found, expected)


WITH_MARKERS = pytest.mark.parametrize("name", ["watershed", "random_walker"])


@WITH_MARKERS
@pytest.mark.parametrize(
    ("markers", "message"),
    [
        (np.ones((3, 3), int), "shape"),
        (np.zeros((4, 5), int), "all 0"),
        (np.full((4, 5), 0.5), "integers"),
        (np.full((4, 5), -1), "positive"),
    ],
)
def test_wrong_markers_are_refused(name, markers, message):
    with pytest.raises(InputError, match=message):
        methods[name](np.ones((4, 5)), (1.0, 1.0), markers)


@pytest.mark.parametrize(
    "name", ["watershed", "random_walker", "slic", "felzenszwalb", "chan_vese", "geodesic_contours"]
)
def test_nan_is_refused(name):
    image = np.ones((6, 6))
    image[2, 2] = np.nan
    with pytest.raises(InputError, match="NaN"):
        answer(methods[name](image))


@pytest.mark.parametrize("name", ["slic", "felzenszwalb", "random_walker"])
def test_what_does_not_fit_into_memory_is_refused(name, monkeypatch):
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=30_000))
    with pytest.raises(InputError, match=r"needs about .* GB for 2,200 voxels, but 0.0 GB are"):
        methods[name](np.eye(40, 55))
