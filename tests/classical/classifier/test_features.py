"""Pixel features against scikit-image, NumPy and hand-computed numbers."""

import numpy as np
import pytest
from skimage.feature import multiscale_basic_features

from napari_segment.classical.classifier.features import KINDS, FeatureSet, feature_table

BASIC = ("gaussian", "gradient", "hessian")  # those that scikit-image offers


@pytest.mark.parametrize("shape", [(40, 50), (1, 60), (14, 20, 31), (5, 1, 9)])
@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.uint16])
def test_equal_to_those_of_scikit_image(shape, dtype):
    rng = np.random.default_rng(0)
    image = (rng.random(shape) * 200).astype(dtype)
    features = FeatureSet((1.0, 2.0, 4.0), BASIC)
    if 1 in shape:
        table = feature_table(image[None], (1.0,) * image.ndim, features)
        assert np.isfinite(table).all()  # scikit-image cannot
        return
    right = multiscale_basic_features(
        image.astype(np.float32), sigma_min=1, sigma_max=4, num_sigma=3
    )
    table = feature_table(image[None], (1.0,) * image.ndim, features).reshape(right.shape)
    np.testing.assert_allclose(table, right, atol=2e-3)


def test_derivatives_are_per_unit_of_the_spacing():
    z, y, x = np.indices((20, 24, 28), float)
    image = 3 * (2 * z) ** 2 + 5 * (0.5 * y) ** 2 - 4 * (0.25 * x) ** 2  # in physical positions
    features = FeatureSet((0.0,), ("laplacian", "hessian"))
    table = feature_table(image[None], (2.0, 0.5, 0.25), features).reshape(20, 24, 28, 4)
    inner = table[4:-4, 4:-4, 4:-4]
    np.testing.assert_allclose(
        inner[..., 1:], np.broadcast_to([10, 6, -8], inner[..., 1:].shape), rtol=1e-3
    )
    np.testing.assert_allclose(inner[..., 0], 8, rtol=1e-2)


def test_names_follow_the_columns():
    features = FeatureSet((1.0, 2.5), ("gaussian", "hessian"))
    names = features.names(("red", ""), 2)
    assert names[:4] == ("red gaussian 1", "red hessian 1 1", "red hessian 2 1", "red gaussian 2.5")
    assert len(names) == feature_table(np.zeros((2, 5, 6)), (1, 1), features).shape[1]


@pytest.mark.parametrize(
    ("shape", "spacing"), [((30, 34), (1.0, 1.0)), ((14, 20, 17), (2, 1, 0.5))]
)
def test_differences_of_gaussians_and_structure_tensors(shape, spacing):
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(0)
    image, scale = rng.random(shape) * 100, 2.0
    features = FeatureSet((scale,), ("difference", "structure"))
    table = feature_table(image[None], spacing, features)

    def smooth(array, width):
        widths = [width / s for s in spacing]
        return gaussian_filter(array, widths, mode="nearest", truncate=4.0)

    expected = smooth(image, scale) - smooth(image, 1.6 * scale)
    np.testing.assert_allclose(table[:, 0], expected.ravel(), atol=2e-4)
    slopes = np.gradient(smooth(image, scale), *spacing)
    tensor = np.empty((*shape, len(shape), len(shape)))
    for i, a in enumerate(slopes):
        for j, b in enumerate(slopes):
            tensor[..., i, j] = smooth(a * b, scale / 2)
    eigenvalues = np.linalg.eigvalsh(tensor)[..., ::-1].reshape(len(table), -1)
    np.testing.assert_allclose(table[:, 1:], eigenvalues, rtol=2e-3, atol=2e-3)
    names = features.names(("",), len(shape))
    assert names[:2] == ("difference of gaussians 2", "structure tensor 1 2")
    assert len(names) == table.shape[1]


@pytest.mark.parametrize("kinds", [KINDS, ("structure",), ("difference",)])
def test_what_lies_beyond_the_reach_plays_no_part(kinds):
    features = FeatureSet((1.0, 1.5), kinds)
    image = np.zeros((1, 61, 61))
    image[0, 30, 30] = 1000
    reach = features.reach((1.0, 1.0))[0]
    table = feature_table(image, (1.0, 1.0), features).reshape(61, 61, -1)
    assert not table[30, 30 + reach + 1 :].any()
    assert table[30, 30 + reach - 3].any()
