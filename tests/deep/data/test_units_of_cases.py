"""Cases of one training: brought to one orientation and one unit of length."""

import numpy as np
import pytest

from napari_segment.deep.data.cases import Cases
from napari_segment.deep.planning.plan import make_plan
from napari_segment.deep.training import checked
from napari_segment.image import Image, Labels
from napari_segment.io.datasets.pairs import Pairs
from napari_segment.step import run


def measured(*worlds):
    """One case for each world, all with the same pixels."""
    labels = np.zeros((12, 20, 24), np.uint8)
    labels[4:8, 5:15, 5:15] = 1
    pixels = labels * 100.0
    pairs = Pairs.of([(Image(pixels, **w), Labels(labels, holds="classes", **w)) for w in worlds])
    cases = Cases(pairs)
    run(cases.measure())
    return cases


def micrometer(factor=1.0, unit="micrometer"):
    affine = np.diag([2.0, 0.5, 0.25, 1])
    affine[:3, 3] = [10, -5, 3]
    return {"affine": np.diag([factor] * 3 + [1]) @ affine, "unit": unit}


@pytest.mark.parametrize(
    ("factor", "unit"),
    [(1e3, "nanometer"), (1e3, "nm"), (1e-3, "mm"), (1e4, "angstrom"), (1, "µm")],
)
def test_images_in_several_units_of_length_train_together(factor, unit):
    cases = measured(micrometer(), micrometer(factor, unit))
    for item in cases.items:
        np.testing.assert_allclose(item.spacing, (2.0, 0.5, 0.25))
        assert item.unit == "micrometer"
    plan = make_plan(cases.items, cases.pairs, checked({}), 2**32, accelerated=False)
    assert plan.spacing == (2.0, 0.5, 0.25)
    assert plan.unit == "micrometer"


def test_a_first_case_without_unit_decides_nothing():
    cases = measured({}, micrometer(1e3, "nanometer"), micrometer())
    assert [item.unit for item in cases.items] == ["pixel", "nanometer", "nanometer"]
    plan = make_plan(cases.items, cases.pairs, checked({}), 2**32, accelerated=False)
    assert plan.spacing == ()
    assert "do not (all) say" in plan.reasons["spacing"]
