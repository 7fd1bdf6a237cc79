"""The learning-rate range test."""

import pytest

from napari_segment.deep.training.optimisation.lr_range_test_torch import RateCurve


def test_the_rate_is_chosen_from_the_curve():
    curve = RateCurve([1e-3, 1e-2, 1e-1], [2.0, 1.0, 3.0])
    assert curve.chosen == pytest.approx(1e-3)
    assert not curve.broke  # too few updates to say
    assert RateCurve([1.0] * 12, [2.0] + [1.0] * 10 + [2.5]).broke
    assert not RateCurve([1.0] * 12, [2.0] + [1.0] * 10 + [1.5]).broke
    assert RateCurve().chosen == 0
