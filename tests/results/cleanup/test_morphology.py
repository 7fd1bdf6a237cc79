import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage.segmentation import expand_labels

from napari_segment.errors import SettingError
from napari_segment.registry import cleanups
from napari_segment.results.cleanup.morphology import close, dilate, erode, open_, smooth

SPACINGS = [(1.0, 1.0, 1.0), (3.0, 1.0, 0.5)]


def ball(radius, spacing):
    """Brute force: the voxels whose centres lie in a ball."""
    sides = [np.arange(-int(radius / s), int(radius / s) + 1) * s for s in spacing]
    return sum(x**2 for x in np.meshgrid(*sides, indexing="ij")) <= radius**2 * (1 + 1e-9)


@pytest.fixture
def mask():
    smooth = ndi.gaussian_filter(np.random.default_rng(0).random((14, 30, 28)), 1.3)
    mask = smooth > np.quantile(smooth, 0.7)
    mask[[0, -1]] = mask[:, [0, -1]] = mask[:, :, [0, -1]] = False
    return mask


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("radius", [1.0, 3.0])
def test_masks_are_those_of_scipy_with_a_ball(mask, spacing, radius):
    around = [(8, 8)] * 3
    element = ball(radius, spacing)

    def expected(function):
        return function(np.pad(mask, around), element)[8:-8, 8:-8, 8:-8]

    settings = {"spacing": spacing, "radius": radius, "units": "physical"}
    np.testing.assert_array_equal(dilate(mask, **settings), expected(ndi.binary_dilation))
    np.testing.assert_array_equal(erode(mask, **settings), expected(ndi.binary_erosion))
    np.testing.assert_array_equal(open_(mask, **settings), expected(ndi.binary_opening))
    np.testing.assert_array_equal(close(mask, **settings), expected(ndi.binary_closing))


@pytest.mark.parametrize("spacing", SPACINGS)
def test_labels_grow_to_the_nearest(mask, spacing):
    labels = ndi.label(mask)[0].astype(np.uint16)
    grown = dilate(labels, spacing, radius=3.0, units="physical")
    expected = expand_labels(labels, 3.0, spacing=spacing)
    np.testing.assert_array_equal(grown > 0, expected > 0)
    # They may differ only where two labels are equally near, and there the smaller number wins.
    assert (grown[grown != expected] < expected[grown != expected]).all()
    assert (grown != expected).mean() < 0.1


def test_touching_labels_shrink_from_each_other():
    labels = np.ones((7, 8), np.uint8)
    labels[:, 4:] = 2
    eroded = erode(labels, radius=1)
    assert (eroded[:, [3, 4]] == 0).all()
    assert (eroded[:, :3] == 1).all()


def test_closing_labels_does_not_join_them():
    labels = np.zeros((9, 12), np.uint8)
    labels[1:8, 1:5], labels[1:8, 6:11] = 1, 2
    labels[4, 2] = labels[4, 8] = 0
    closed = close(labels, radius=2)
    assert closed[4, 2] == 1
    assert closed[4, 8] == 2
    assert not closed[:, 5].any()


def test_open_labels_is_open_of_each(mask):
    labels = ndi.label(mask)[0].astype(np.uint16)
    opened = open_(labels, radius=1.5)
    np.testing.assert_array_equal(opened, np.where(open_(mask, radius=1.5), labels, 0))


def test_radii_smaller_than_a_voxel_change_nothing(mask):
    assert dilate(mask, (5.0, 5.0, 5.0), radius=2, units="physical") is mask


def brute_majority(labels, element):
    centre = [n // 2 for n in element.shape]
    out = labels.copy()
    for where in np.ndindex(labels.shape):
        near = [
            labels[tuple(index)]
            for index in np.argwhere(element) - centre + where
            if all(0 <= i < n for i, n in zip(index, labels.shape, strict=True))
        ]
        values, times = np.unique(near, return_counts=True)
        best = values[times == times.max()]
        out[where] = labels[where] if labels[where] in best else best[0]
    return out


@pytest.mark.parametrize("spacing", SPACINGS)
def test_smooth_is_the_majority(spacing):
    labels = np.random.default_rng(0).integers(0, 3, (5, 8, 9)).astype(np.uint8)
    actual = smooth(labels, spacing, radius=1.5, units="physical")
    np.testing.assert_array_equal(actual, brute_majority(labels, ball(1.5, spacing)))


def test_radii_of_nanometers_and_balls_of_too_many_voxels(mask):
    nanometers = (3000.0, 1000.0, 1000.0)
    for name in ("dilate", "erode", "open", "close", "smooth"):
        entry = cleanups[name]
        actual = entry(mask, nanometers, radius=2000, units="physical")
        expected = entry(mask, (3.0, 1.0, 1.0), radius=2, units="physical")
        np.testing.assert_array_equal(actual, expected)
    with pytest.raises(SettingError, match="at most 20: give a radius of at most 2"):
        smooth(mask, (0.3, 0.1, 0.1), radius=2.1, units="physical")
    with pytest.raises(SettingError, match="reaches 21 voxels"):
        smooth(mask, radius=21)


def test_flips_and_turns_commute(mask):
    labels = mask.astype(np.uint8)
    for function in (dilate, erode, open_, close, smooth):
        for turned in (lambda a: a[::-1, :, ::-1], lambda a: np.rot90(a, axes=(1, 2))):
            np.testing.assert_array_equal(
                function(turned(labels), radius=2), turned(function(labels, radius=2))
            )
