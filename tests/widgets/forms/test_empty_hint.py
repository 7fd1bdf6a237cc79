"""The line above a form in an empty window."""

import pytest
from shared.windows import open_dock

pytestmark = pytest.mark.screen


@pytest.mark.parametrize(("name", "word"), [("Threshold", "image"), ("Track", "time-lapse")])
def test_an_empty_window_says_what_to_open_until_there_is_a_layer(qtbot, viewer, name, word):
    dock = open_dock(viewer, name)
    qtbot.waitUntil(lambda: dock._hint is not None and dock._hint.isVisible())
    assert word in dock._hint.text()
    dock._hint.linkActivated.emit(next(iter(dock.samples)))
    assert len(viewer.layers) == 2
    assert not dock._hint.isVisible()
    viewer.layers.clear()
    assert dock._hint.isVisible()
