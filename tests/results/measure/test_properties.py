"""Properties of objects against other libraries and by hand."""

import numpy as np
import pytest
from scipy.stats import kurtosis, skew
from shared.blobs import SPACING, intensities, objects
from skimage import measure as skimage_measure

from napari_segment.image import Image, Labels
from napari_segment.results.measure import measure


def oracle(labels, image, spacing, *names):
    return skimage_measure.regionprops_table(
        labels, image, properties=("label", *names), spacing=spacing
    )


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_properties_are_those_of_regionprops(ndim, dtype):
    labels, spacing = objects(ndim), SPACING[ndim]
    image = intensities(labels.shape, dtype)
    table = measure(Labels(labels, spacing=spacing), Image(image), properties="all")
    names = {
        "area" if ndim == 2 else "volume": "area", "voxels": "num_pixels", "extent": "extent",
        "equivalent_diameter": "equivalent_diameter_area", "mean_intensity": "mean_intensity",
        "min_intensity": "min_intensity", "max_intensity": "max_intensity",
        "std_intensity": "intensity_std", "major_axis_length": "axis_major_length",
        **{f"centroid_{a}": f"centroid-{i}" for i, a in enumerate("zyx"[3 - ndim :])},
        **{
            f"weighted_centroid_{a}": f"centroid_weighted-{i}"
            for i, a in enumerate("zyx"[3 - ndim :])
        },
        **{f"bbox_{a}_start": f"bbox-{i}" for i, a in enumerate("zyx"[3 - ndim :])},
        **{f"bbox_{a}_stop": f"bbox-{i + ndim}" for i, a in enumerate("zyx"[3 - ndim :])},
    }  # fmt: skip
    expected = oracle(labels, image, spacing, *{n.split("-")[0] for n in names.values()})
    np.testing.assert_array_equal(table["label"], expected["label"])
    for ours, theirs in names.items():
        np.testing.assert_allclose(table[ours], expected[theirs], rtol=1e-5, err_msg=ours)


def test_euler_number_and_minor_axis_in_2d_and_3d():
    for ndim in (2, 3):
        labels = objects(ndim)
        table = measure(labels, properties=("euler_number", "minor_axis_length"))
        expected = [
            skimage_measure.euler_number(labels == i, connectivity=ndim) for i in table["label"]
        ]
        assert table["euler_number"].tolist() == expected
        if ndim == 2:
            theirs = oracle(labels, None, (1, 1), "axis_minor_length")["axis_minor_length"]
            np.testing.assert_allclose(table["minor_axis_length"], theirs, atol=1e-6)


def test_higher_moments_are_those_of_scipy():
    labels = objects(3)
    image = intensities(labels.shape, np.float32) + 1e4
    table = measure(labels, image, properties="intensity")
    for row in table.itertuples():
        inside = image[labels == row.label].astype(float)
        if len(inside) > 3:
            np.testing.assert_allclose(row.skewness_intensity, skew(inside), atol=1e-6)
            np.testing.assert_allclose(row.kurtosis_intensity, kurtosis(inside), atol=1e-6)


def test_orientation_of_a_slanted_bar():
    y, x = np.mgrid[:41, :41] - 20
    along, across = (x + y) / 2**0.5, (x - y) / 2**0.5
    bar = (abs(along) < 15) & (abs(across) < 3)
    row = measure(bar, properties=("orientation", "angle", "elongation")).iloc[0]
    np.testing.assert_allclose([row.orientation_y, row.orientation_x], 0.5**0.5, rtol=1e-6)
    np.testing.assert_allclose(row.angle, 45)
    assert row.elongation < 0.3


def test_textures_are_those_of_the_co_occurrence_matrix():
    image = np.random.default_rng(0).integers(0, 64, (9, 12)).astype(np.uint8)
    image[0, :2] = 0, 63
    row = measure(np.ones_like(image), image, properties="texture").iloc[0]
    pairs = [
        (image[y, x], image[y + dy, x + dx])
        for dy, dx in [(0, 1), (1, 0), (1, 1), (1, -1)]
        for y in range(9 - dy)
        for x in range(max(0, -dx), 12 - max(0, dx))
    ]
    i, j = np.array(pairs + [p[::-1] for p in pairs], float).T
    np.testing.assert_allclose(row.texture_contrast, ((i - j) ** 2).mean())
    np.testing.assert_allclose(row.texture_dissimilarity, abs(i - j).mean())
    np.testing.assert_allclose(row.texture_homogeneity, (1 / (1 + (i - j) ** 2)).mean())
    np.testing.assert_allclose(row.texture_correlation, np.corrcoef(i, j)[0, 1])
