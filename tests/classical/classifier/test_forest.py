"""Forests as arrays against scikit-learn."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from napari_segment.classical.classifier.forest import Forest
from napari_segment.errors import FormatError


def fitted(classes=3, trees=13, **settings):
    rng = np.random.default_rng(1)
    table = rng.normal(size=(900, 7)).astype(np.float32)
    number = (table[:, 0] + table[:, 1] ** 2 > 0.7).astype(int) + (table[:, 2] > 0.5) * (
        classes - 2
    )
    forest = RandomForestClassifier(trees, random_state=0, **settings).fit(table, number)
    return forest, rng.normal(size=(1000, 7)).astype(np.float32)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("settings", [{}, {"max_depth": 1}, {"min_samples_leaf": 50}])
def test_equal_probabilities(classes, settings):
    forest, samples = fitted(classes, **settings)
    ours = Forest.of(forest)
    for count in (0, 1, 255, 256, 257, 1000):
        expected = forest.predict_proba(samples[:count]) if count else np.zeros((0, classes))
        np.testing.assert_allclose(ours.probabilities(samples[:count]), expected, atol=1e-6)


def test_samples_on_a_threshold_go_the_same_way():
    forest, _ = fitted()
    thresholds = np.concatenate([t.tree_.threshold for t in forest.estimators_])
    samples = np.repeat(thresholds.astype(np.float32)[:, None], 7, 1)
    expected = forest.predict_proba(samples)
    np.testing.assert_allclose(Forest.of(forest).probabilities(samples), expected, atol=1e-6)


def test_a_tree_that_is_one_leaf():
    table = np.zeros((20, 2), np.float32)
    forest = RandomForestClassifier(3, random_state=0).fit(table, [0, 1] * 10)
    expected = forest.predict_proba(table)
    np.testing.assert_allclose(Forest.of(forest).probabilities(table), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "index", "value"),
    [("left", 0, 10**6), ("left", 0, -1), ("feature", 0, 7), ("row", -1, 10**6), ("roots", 0, -5),
     ("left", 5, 1)],
)  # fmt: skip
def test_damaged_arrays_are_refused_before_they_are_followed(name, index, value):
    arrays = {k: v.copy() for k, v in Forest.of(fitted()[0]).arrays().items()}
    arrays[name][index] = value
    with pytest.raises(FormatError, match="damaged"):
        Forest.from_arrays(arrays, "forest.safetensors")


def test_missing_arrays_are_refused():
    arrays = Forest.of(fitted()[0]).arrays()
    del arrays["left"]
    with pytest.raises(FormatError, match="no forest"):
        Forest.from_arrays(arrays, "forest.safetensors")
