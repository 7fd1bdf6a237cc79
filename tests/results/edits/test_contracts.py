"""Every edit keeps its promises."""

import numpy as np
import pytest

from napari_segment.recipe import Edit
from napari_segment.registry import Entry, edits
from napari_segment.results.edits.view import Patch
from napari_segment.testing import EDIT_CHECKS, check_edit

SQUARE = ((8.5, 14.5), (8.5, 25.5), (12.5, 25.5), (12.5, 14.5))
SETTINGS = {
    "delete": [{"numbers": [1, 3]}],
    "merge": [{"numbers": [2, 1]}],
    "split": [
        {"number": 4, "line": [[-1, 22], [14, 22]]},
        {"number": 4, "points": [[3, 18], [3, 26]]},
        {"number": 4, "points": [[3, 18], [3, 26]], "landscape": "intensity"},
    ],
    "cut": [
        {"outline": [[0, 0], [0, 3.5], [13, 3.5], [13, 0]]},
        {"outline": [[0, 0], [0, 3.5], [13, 3.5], [13, 0]], "result": "background", "numbers": [1]},
    ],
    "fill_holes": [{"numbers": [2]}],
    "smooth": [{"numbers": [4, 1], "sigma": 1.5}],
    "grow": [{"numbers": [1, 3], "distance": 2}, {"numbers": [1], "to_edge": True}],
    "shrink": [{"numbers": [1, 2], "distance": 1}, {"numbers": [1], "to_edge": True}],
    "new_object": [{"outline": SQUARE}, {"runs": "400+4", "number": 9}],
    "relabel": [{"number": 3}, {"number": 3, "new": 77}],
    "swap": [{"numbers": [1, 4]}],
    "interpolate": [{"axis": "Y"}, {"axis": "Z"}],
    "extend": [{"numbers": [1], "plane": 2, "to": 8, "axis": "Y"}],
    "copy_plane": [
        {"plane": 3, "to": 7, "axis": "Y"},
        {"plane": 3, "to": 7, "axis": "Y", "numbers": [1]},
    ],
    "accept": [{"numbers": [1]}],
    "paint": [{"runs": "40+70 150+3", "number": 0}, {"runs": "0+5", "number": 6}],
}  # fmt: skip
DEEP = {"points": lambda points: [[2, *point] for point in points]}


def of_dimension(settings, ndim):
    given = {k: DEEP[k](v) if ndim == 3 and k in DEEP else v for k, v in settings.items()}
    gap = {2: "Z", 3: "Y"}[ndim]  # no object of the sample has a gap along it
    return None if given == {"axis": gap} else given


CASES = [
    pytest.param(name, settings, ndim, id=f"{name}-{i}-{ndim}")
    for name, several in SETTINGS.items()
    for i, one in enumerate(several)
    for ndim in (2, 3)
    if (settings := of_dimension(one, ndim)) is not None
]


def test_every_edit_is_checked():
    assert set(SETTINGS) == {n for n, e in edits.items() if e.source.startswith("napari_segment.")}


@pytest.mark.parametrize("case", EDIT_CHECKS)
@pytest.mark.parametrize(("name", "settings", "ndim"), CASES)
def test_contract(name, settings, ndim, case):
    check_edit(edits[name], case, settings, ndim)


def entry_of(function):
    return Entry("edits", function.__name__, function.__name__, function, pointwise=True)


def careless(labels, *, numbers: tuple[int, ...] = ()):
    """Write into the labels."""
    labels.data[...] = 0
    return []


def drifting(labels, *, numbers: tuple[int, ...] = ()):
    """Give another result each time."""
    drifting.calls = getattr(drifting, "calls", 0) + 1
    return [Patch(labels.all(), drifting.calls)]


@pytest.mark.parametrize(
    ("function", "message"), [(careless, "changed its input"), (drifting, "differs")]
)
def test_the_checks_catch_what_they_are_for(function, message, monkeypatch):
    monkeypatch.setitem(edits._entries, function.__name__, entry_of(function))
    with pytest.raises(AssertionError, match=message):
        check_edit(edits[function.__name__], "repeatable", {})


def test_the_sample_is_changed_by_every_edit_but_accept():
    from napari_segment.results.edits.history import History
    from napari_segment.testing import edit_sample

    labels, image = edit_sample(3)
    for name, several in SETTINGS.items():
        for one in several:
            if (settings := of_dimension(one, 3)) is None:
                continue
            history = History(labels.copy(), "ZYX", (), image)
            history.make(Edit(name=name, settings=settings))
            assert np.array_equal(history.labels, labels) == (name == "accept"), (name, one)
