"""The decoding of objects is fitted to what a network says."""

import numpy as np
import pytest

from napari_segment.deep.data.targets import decode, object_maps
from napari_segment.deep.planning.label_semantics import Objects
from napari_segment.deep.training.decoding_fit import average_precision, fit


def discs():
    labels = np.zeros((64, 64), np.int32)
    y, x = np.ogrid[:64, :64]
    for k, (cy, cx) in enumerate([(14, 14), (14, 34), (44, 20), (44, 40)], 1):
        labels[(y - cy) ** 2 + (x - cx) ** 2 < 100] = k
    return labels


def test_average_precision_by_hand():
    reference = np.array([1, 1, 1, 0, 2, 2, 0, 0])
    assert average_precision(np.array([1, 1, 1, 0, 0, 0, 0, 2]), reference) == 1 / 3
    assert average_precision(reference, reference) == 1
    assert np.isnan(average_precision(reference * 0, reference * 0))


@pytest.mark.parametrize("target", ["distance", "border", "seeds", "flow"])
def test_a_network_that_says_little_is_understood(target):
    """Outputs pressed towards 0.2 … 0.55: usual thresholds find nothing, fitted ones find all."""
    labels = discs()
    maps = object_maps(labels, Objects(target=target)).clip(0, 1)
    maps[0] = 0.2 + 0.35 * maps[0]
    if target in ("distance", "seeds"):
        maps[1] *= 0.45
    start = Objects(target=target, foreground=0.6)
    assert decode(maps, start).max() == 0
    actual, precision = fit(start, [(maps, labels)], decode)
    assert precision == 1
    assert actual.foreground < 0.6
    assert actual.size == np.bincount(labels.ravel())[1:].min() // 2


def test_without_cases_nothing_changes():
    objects, precision = fit(Objects(), [], decode)
    assert objects == Objects()
    assert np.isnan(precision)


def test_a_fit_ends_with_the_time():
    labels = discs()
    maps = object_maps(labels, Objects()).clip(0, 1)
    tried = []

    def counted(outputs, objects):
        tried.append(objects)
        return decode(outputs, objects)

    objects, precision = fit(Objects(), [(maps, labels)], counted, lambda _: len(tried) >= 4)
    assert len(tried) == 4
    assert objects in tried
    assert precision == average_precision(decode(maps, objects), labels)


def test_numbers_of_objects_do_not_matter():
    reference = np.array([5, 5, 5, 5, 0, 9, 9, 0])
    assert average_precision(np.array([1, 1, 1, 0, 0, 0, 0, 2]), reference) == 1 / 3
    assert average_precision(reference, reference) == 1
    assert np.isnan(average_precision(reference * 0, reference * 0))
