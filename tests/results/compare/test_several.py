"""Scores of several cases."""

import json

import numpy as np
import pytest
from shared.rectangles import objects, shaken

from napari_segment.errors import InputError
from napari_segment.image import Labels
from napari_segment.results.compare import aggregate, compare


def test_pooled_scores_count_objects_and_means_count_cases():
    one = np.array([[1, 0, 0, 0, 0]])
    three = np.array([[1, 0, 2, 0, 3]])
    both = aggregate([compare(one, one), compare(one, three)])
    assert both.cases == 2
    assert both.mean["ap50"] == pytest.approx((1 + 1 / 3) / 2)
    assert both.pooled["ap50"] == 2 / 4
    assert both.mean["mean_dice"] == pytest.approx((1 + 2 / 4) / 2)
    assert both.pooled["mean_dice"] == 2 * 2 / (2 + 4)


def test_pooled_scores_are_those_of_one_time_series():
    reference = np.stack([objects(0), objects(1)])
    labels = np.stack([shaken(objects(0), 0), shaken(objects(1), 1)])
    whole = compare(Labels(labels, "TYX"), Labels(reference, "TYX"))
    pooled = aggregate([compare(a, b) for a, b in zip(labels, reference, strict=True)]).pooled
    assert pooled == pytest.approx(whole.summary)


def test_classes_of_different_cases_are_pooled_by_label():
    a = Labels(np.array([[1, 1, 2, 0]]), holds="classes")
    b = Labels(np.array([[1, 0, 3, 3]]), holds="classes")
    c = Labels(np.array([[1, 1, 3, 0]]), holds="classes")
    pooled = aggregate([compare(a, a), compare(b, c)]).pooled
    assert pooled["mean_dice"] == pytest.approx(np.mean([6 / 7, 1, 2 / 3]))


def test_bootstrap_intervals_cover_the_score_and_narrow_with_cases():
    cases = [compare(shaken(objects(i), i), objects(i)) for i in range(4)]
    few, many = aggregate(cases), aggregate(cases * 10)
    for kind in ("mean", "pooled"):
        low, high = getattr(few, f"{kind}_interval")["ap50"]
        assert low <= getattr(few, kind)["ap50"] <= high
        narrow = getattr(many, f"{kind}_interval")["ap50"]
        assert narrow[1] - narrow[0] < 0.6 * (high - low)
    assert aggregate(cases) == few
    assert not aggregate(cases[:1]).mean_interval
    json.dumps(few.to_dict(), allow_nan=False)


def test_scores_for_other_thresholds_are_not_joined():
    one = np.array([[1, 0]])
    with pytest.raises(InputError, match="thresholds"):
        aggregate([compare(one, one), compare(one, one, thresholds=(0.5,))])
