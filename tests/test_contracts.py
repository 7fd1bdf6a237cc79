"""Every filter, method and cleanup keeps its promises."""

import inspect

import numpy as np
import pytest

from napari_segment.errors import SegmentError
from napari_segment.registry import Entry, cleanups, filters, methods
from napari_segment.step import run
from napari_segment.testing import CHECKS, check

ENTRIES = [
    entry
    for registry in (filters, methods, cleanups)
    for entry in registry.values()
    if not any(field.is_required() for field in entry.settings.model_fields.values())
]


@pytest.mark.parametrize("case", CHECKS)
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.kind}-{entry.name}")
def test_contract(entry, case):
    check(entry, case)


@pytest.mark.parametrize("dtype", [complex, object, "U1"])
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.kind}-{entry.name}")
def test_what_is_no_number_is_refused_with_a_message(entry, dtype):
    array = np.ones((3, 6, 7), dtype)
    array = array if 3 in entry.ndim or entry.channels == "many" else array[0]
    if entry.name == "dense_crf":
        data = {"labels": array, "image": np.ones(array.shape)}
    else:
        data = {entry.data[0]: array}

    def call():
        result = entry(**data)
        return run(result) if inspect.isgenerator(result) else result

    with pytest.raises(SegmentError, match=r"\w+ \w+ \w+"):
        call()


def entry_of(function, **fields):
    return Entry("methods", function.__name__, "A title", function, gives="mask", **fields)


def shrinks(image):
    """Lose a row."""
    return image[1:] > 0


def changes(image):
    """Write into the input."""
    image[...] = 0
    return image > 0


def gathers(image):
    """Load everything."""
    return np.asarray(image) > 50


def leans(image):
    """Look at the neighbour."""
    return image > np.roll(image, 1, -3)


def drifts(image):
    """Depend on the block."""
    from napari_segment.blocks import map_blocks

    return map_blocks(lambda block: block > block.mean(), image, dtype=bool)


@pytest.mark.parametrize(
    ("function", "case", "message"),
    [
        (shrinks, "2-D uint8", "gives shape"),
        (changes, "2-D uint8", "changed its input"),
        (leans, "together", "looks at neighbours"),
        (gathers, "blocks", "gathers the whole array"),
        (drifts, "blocks", "differs"),
    ],
)
def test_the_checks_catch_what_they_are_for(function, case, message):
    with pytest.raises(AssertionError, match=message):
        check(entry_of(function, pointwise=True), case)
