"""Lines in a histogram are dragged by mouse, and the run takes their values."""

import threading

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QPainter
from shared.windows import WAIT, headless, open_dock, result_of, undo

from napari_segment import api
from napari_segment.image import Image
from napari_segment.widgets.forms.fields import written
from napari_segment.widgets.forms.histogram import HistogramView

pytestmark = pytest.mark.screen


def drag(qtbot, view, line, value):
    """Take hold of a line and bring it to a value, in a few steps."""
    start, end = view._position(view.thresholds[line]), view._position(value)
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(round(start), 20))
    for part in (0.3, 0.7, 1.0):
        qtbot.mouseMove(view, QPoint(round(start + part * (end - start)), 20))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(round(end), 20))
    return view.thresholds[line]


def preview_of(qtbot, dock, image, recipe, plane):
    """Wait until the preview is that of a recipe."""
    alone = api.replay(recipe, image.take("Z", plane)).data
    layers = dock.viewer.layers
    qtbot.waitUntil(
        lambda: "preview" in layers and np.array_equal(layers["preview"].data[0], alone),
        timeout=WAIT,
    )


@pytest.mark.parametrize(
    ("start", "names", "wanted", "gives"),
    [
        ("range", ("low", "high"), (700, 2100), "range"),
        ("hysteresis", ("low", "high"), (900, 2400), "hysteresis"),
        ("multi_otsu", ("thresholds",), (800, 2600), "levels"),
    ],
)
def test_every_line_is_dragged_and_the_run_takes_its_value(
    qtbot, viewer, bright_stack, tmp_path, start, names, wanted, gives
):
    image = Image(bright_stack, spacing=(2, 0.5, 0.5), unit="micrometer")
    viewer.add_image(bright_stack, rgb=False, scale=(2, 0.5, 0.5), units=("um",) * 3, name="stack")
    viewer.dims.set_current_step(0, 2)
    dock = open_dock(viewer, "Threshold")
    dock.method.name = start
    dock.live.box.setChecked(True)
    view = dock.live.histogram
    qtbot.waitUntil(lambda: len(view.thresholds) == 2 and view.high > 2000, timeout=WAIT)
    dragged = [0.0, 0.0]
    for line in (1, 0):  # of lines on one place, the right one goes right
        dragged[line] = drag(qtbot, view, line, wanted[line])
        assert abs(dragged[line] - wanted[line]) < 60  # of a pixel or two
    settings = dock.method.value.settings
    given = [settings[name] for name in names]
    assert dock.method.name == gives
    np.testing.assert_array_equal(np.ravel(given), dragged)
    expected = api.segment(image, gives, **dict(zip(names, given, strict=True)))
    preview_of(qtbot, dock, image, dock.recipe(), 2)
    labels = result_of(qtbot, dock)
    np.testing.assert_array_equal(labels.data, expected.data)
    assert labels.metadata["napari-segment"]["recipe"]["method"]["name"] == gives
    np.testing.assert_array_equal(headless(dock, image, tmp_path), expected.data)
    undo(qtbot, dock)
    assert [layer.name for layer in viewer.layers] == ["stack"]
    dock.recipes.load(tmp_path / "recipe.yaml")
    qtbot.waitUntil(lambda: view.thresholds == tuple(dragged), timeout=WAIT)


@pytest.mark.parametrize(
    ("title", "start", "gives", "lines"),
    [
        ("Edges", "canny", "canny", 2),
        ("Edges", "sobel", "sobel", 1),
        ("Edges", "log", "log", 1),
        ("Clusters", "kmeans", "levels", 3),
    ],
)
def test_edges_and_clusters_have_lines_too(qtbot, viewer, bright_stack, title, start, gives, lines):
    viewer.add_image(bright_stack[2], name="plane", scale=(0.5, 0.5), units=("um",) * 2)
    dock = open_dock(viewer, title)
    dock.method.name = start
    if start == "kmeans":
        dock.method.form.settings = {"clusters": 4}
    dock.live.box.setChecked(True)
    view = dock.live.histogram
    qtbot.waitUntil(lambda: len(view.thresholds) == lines, timeout=WAIT)
    before = view.thresholds
    wanted = (before[-1] + 2 * view.high) / 3
    dragged = drag(qtbot, view, lines - 1, wanted)
    assert dragged == pytest.approx(wanted, rel=0.05)
    recipe = dock.recipe()
    assert recipe.method.name == gives
    image = Image(bright_stack[2], spacing=(0.5, 0.5), unit="micrometer")
    expected = api.replay(recipe, image).data
    assert np.asarray(expected).max() == (lines if gives == "levels" else 1)
    layers = viewer.layers
    qtbot.waitUntil(
        lambda: "preview" in layers and np.array_equal(layers["preview"].data, expected),
        timeout=WAIT,
    )
    assert view.thresholds == pytest.approx((*before[:-1], dragged), rel=1e-3)
    np.testing.assert_array_equal(result_of(qtbot, dock).data, expected)
    undo(qtbot, dock)


def test_the_one_border_of_two_clusters_is_dragged_again_and_again(qtbot, viewer, bright_stack):
    viewer.add_image(bright_stack[2], name="plane")
    dock = open_dock(viewer, "Clusters")
    dock.method.name = "kmeans"
    dock.method.form.settings = {"clusters": 2}
    dock.live.box.setChecked(True)
    view = dock.live.histogram
    qtbot.waitUntil(lambda: len(view.thresholds) == 1, timeout=WAIT)
    for wanted in (2200, 1300):
        dragged = drag(qtbot, view, 0, wanted)
        assert abs(dragged - wanted) < 60
        recipe = dock.recipe()
        assert recipe.method.name == "levels"
        np.testing.assert_array_equal(recipe.method.settings["thresholds"], [dragged])
        expected = api.replay(recipe, Image(bright_stack[2])).data
        shown = viewer.layers
        qtbot.waitUntil(
            lambda shown=shown, expected=expected: (
                "preview" in shown and np.array_equal(shown["preview"].data, expected)
            ),
            timeout=WAIT,
        )
        qtbot.waitUntil(lambda at=dragged: view.thresholds == (at,), timeout=WAIT)


def test_lines_keep_their_order_and_wait_at_the_ends(qtbot, viewer):
    view = HistogramView(viewer)
    qtbot.addWidget(view)
    view.resize(402, 120)
    view.show_counts(np.ones(101), np.arange(100, 201))
    view.show_thresholds((0.5, 1.0), draggable=True)  # both far below the histogram
    dragged = []
    view.dragged.connect(dragged.append)
    assert drag(qtbot, view, 0, 180) == 0.5  # the line that could move did
    assert view.thresholds == (0.5, pytest.approx(180, abs=1))
    drag(qtbot, view, 0, 150)
    drag(qtbot, view, 0, 199)  # stops at its neighbour
    assert view.thresholds[0] == view.thresholds[1] < 185
    drag(qtbot, view, 1, 120)  # of two on one place, the left one goes left
    assert view.thresholds[0] == pytest.approx(120, abs=1)
    assert view.thresholds[1] > 175
    assert dragged[-1] == view.thresholds
    view.show_thresholds((150,), draggable=False)
    drag(qtbot, view, 0, 120)
    assert view.thresholds == (150,)


@pytest.mark.parametrize(
    ("low", "high", "wanted", "digits"),
    [
        (1000.001, 1000.009, 1000.004, "1000.004"),
        (1e6, 1e6 + 100, 1e6 + 40, "1000040"),
        (0, 65535, 12345, "12345"),
        (-3e-12, 5e-12, 1e-12, "1e-12"),
        (-4e18, 4e18, 1e18, "1e+18"),
        (-1e300, 1e300, 1e299, "1e+299"),
    ],
)
def test_lines_have_the_digits_that_pixels_tell_apart(qtbot, viewer, low, high, wanted, digits):
    view = HistogramView(viewer)
    qtbot.addWidget(view)
    view.resize(402, 120)
    view.show_counts(np.ones(101), np.linspace(low, high, 101))
    view.show_thresholds((low,), draggable=True)
    assert abs(drag(qtbot, view, 0, wanted) - wanted) <= (high / 200 - low / 200)
    assert written(view._rounded(wanted, more=1)) == digits


def test_numbers_stand_under_their_lines_or_not_at_all(qtbot, viewer, monkeypatch):
    view = HistogramView(viewer)
    qtbot.addWidget(view)
    view.resize(402, 120)
    view.show_counts(np.ones(101), np.linspace(30000, 33000, 101))
    view.show_thresholds(np.linspace(30100, 32900, 29), draggable=True)
    drawn = {}
    text = QPainter.drawText

    def note(painter, position, label):
        drawn[label] = (position.x(), painter.fontMetrics().horizontalAdvance(label))
        text(painter, position, label)

    monkeypatch.setattr(QPainter, "drawText", note)
    view.grab()
    assert len(drawn) >= 5
    for label, (x, width) in drawn.items():
        assert x <= view._position(float(label)) <= x + width


def test_a_histogram_that_comes_late_says_nothing_of_markers(
    qtbot, viewer, bright_stack, monkeypatch
):
    viewer.add_image(bright_stack[2], name="plane")
    dock = open_dock(viewer, "Threshold")
    look, asked, ticked, messages = dock.live.look, threading.Event(), threading.Event(), []

    def slow(request):
        if not request.draw:
            asked.set()
            ticked.wait(WAIT / 1000)
        return look(request)

    monkeypatch.setattr(dock.live, "look", slow)
    monkeypatch.setattr(dock.running, "say", messages.append)
    dock.live.refresh()
    qtbot.waitUntil(asked.is_set, timeout=WAIT)  # for the histogram alone
    dock.live.box.setChecked(True)
    ticked.set()
    qtbot.waitUntil(lambda: "preview" in viewer.layers, timeout=WAIT)
    assert not any("markers" in message for message in messages)
