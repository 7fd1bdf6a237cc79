"""Pixel features against scikit-image, NumPy and hand-computed numbers."""

import numpy as np
import pytest
from skimage.feature import multiscale_basic_features

from napari_segment.classical.classifier.features import FeatureSet, feature_table

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
