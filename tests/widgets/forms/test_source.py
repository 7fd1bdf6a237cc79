"""What the form says of its image follows the layer, and a recipe is never changed unsaid."""

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication

from napari_segment.widgets.forms.source import Source, is_labels


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def source(qtbot, viewer):
    source = Source(viewer)
    qtbot.addWidget(source.native)
    return source


def add(viewer, shape, axes, **more):
    data = np.zeros(shape, np.uint8)
    return viewer.add_image(data, axis_labels=tuple(axes.lower()), **{"rgb": False, **more})


def test_a_colour_is_chosen_by_its_name(viewer, source):
    add(viewer, (20, 30, 3), "YX", rgb=True)
    for channel, expected in (("green", 1), ("2", 2), (-1, 2), (0, 0), ("auto", "auto")):
        assert source.fill(channel, "auto", ()) == ""
        assert source.channel == expected


def test_what_the_image_lacks_is_reported(viewer, source):
    assert source.fill(2, "auto", (0, 2)) == "channel 2 and times 0 to 2"  # no image yet
    assert source.fill("auto", "stack", ()) == "all times together"
    assert source.fill(0, "plane", ()) == ""
    add(viewer, (6, 3, 20, 30), "TCYX")
    assert source.fill(2, "stack", (2, 5)) == ""
    assert (source.channel, source.apply_to, source.times) == (2, "stack", (2, 5))
    assert source.fill(3, "auto", (2, 9)) == "channel 3 and times 2 to 9"
    assert source.fill("green", "auto", ()) == "channel green"
    source.ask_channel(False)
    assert source.fill(3, "auto", ()) == ""  # nothing looks at one channel alone
    assert source.channel == "auto"


def test_all_times_are_taken_again(viewer, source):
    add(viewer, (6, 20, 30), "TYX")
    source.fill("auto", "auto", (2, 5))
    source.fill("auto", "auto", ())
    assert source.times == ()


def test_the_last_time_stays_behind_the_first(viewer, source):
    add(viewer, (6, 20, 30), "TYX")
    source.last.setValue(3)
    source.first.setValue(4)
    assert source.times == (4, 5)
    source.last.setValue(2)
    assert source.times == (1, 2)


@pytest.mark.parametrize(
    ("axes", "offered"),
    [
        ("YX", ["auto", "plane"]),
        ("TYX", ["auto", "plane", "stack"]),
        ("ZYX", ["auto", "plane", "volume", "directions"]),
        ("TCZYX", ["auto", "plane", "volume", "stack"]),
    ],
)
def test_what_is_taken_at_once_suits_the_axes(viewer, source, axes, offered):
    add(viewer, (4,) * len(axes), axes)
    menu = source.per_menu
    assert [menu.itemData(i) for i in range(menu.count())] == offered
    assert source.fill("auto", "plane", ()) == ""
    add(viewer, (20, 30), "YX", name="flat")
    source.layers.layer = viewer.layers["flat"]
    assert source.apply_to == "plane"
    assert source.fill("auto", "volume", ()) == ""
    assert source.apply_to == "auto"  # which is the same here
    assert source.fill("auto", "directions", ()) == "planes in three directions, linked"


def test_changes_of_the_chosen_layer_are_followed(viewer, source):
    layer = add(viewer, (6, 20, 30), "ZYX")
    other = add(viewer, (6, 20, 30), "ZYX")
    source.layers.layer = layer
    versions = []
    source.changed.connect(lambda: versions.append(source.version))
    other.data = other.data + 1
    assert versions == []
    layer.data = layer.data + 1
    layer.scale = (3, 1, 1)
    layer.units = ("um", "um", "um")
    assert len(versions) == 3
    assert versions[0] != versions[1]
    layer.axis_labels = ("t", "y", "x")
    assert source.axes == "TYX"
    layer.data = np.zeros((9, 20, 30), np.uint8)
    assert source.last.maximum() == 9
    source.layers.layer = other
    source.layers.layer = layer
    versions.clear()
    layer.data = layer.data + 1
    assert len(versions) == 1


def test_the_wheel_scrolls_past_what_is_chosen(viewer, source):
    add(viewer, (6, 3, 20, 30), "TCYX", name="one")
    add(viewer, (6, 3, 20, 30), "TCYX", name="two")
    boxes = [source.layers, source.axes_menu, source.channel_menu, source.per_menu]
    for box in (*boxes, source.first, source.last):
        shown = box.currentText() if box in boxes else box.value()
        for far in (-120, 120):
            here = QPointF(box.rect().center())
            turn = QWheelEvent(
                here, here, QPoint(), QPoint(0, far), Qt.MouseButton.NoButton,
                Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
            )  # fmt: skip
            QApplication.sendEvent(box, turn)
            assert not turn.isAccepted()  # the form around it takes it
            assert (box.currentText() if box in boxes else box.value()) == shown


def test_what_was_answered_stays_when_time_points_are_added(viewer, source):
    layer = viewer.add_image(np.zeros((4, 3, 20, 30), np.uint8), rgb=False)
    source.axes_menu.setCurrentIndex(source.axes_menu.findData("TCYX"))
    source.fill(2, "plane", (1, 3))
    layer.data = np.zeros((6, 3, 20, 30), np.uint8)
    assert (source.axes, source.channel, source.apply_to, source.times) == (
        "TCYX",
        2,
        "plane",
        (1, 3),
    )
    source.fill(2, "plane", ())
    layer.data = np.zeros((9, 3, 20, 30), np.uint8)
    assert (source.times, source.last.value()) == ((), 9)
    layer.data = np.zeros((20, 30), np.uint8)
    assert source.axes == "YX"


def test_a_preview_is_offered_nowhere(viewer):
    data = np.zeros((20, 30), np.uint8)
    assert is_labels(viewer.add_labels(data, metadata={"napari-segment": {"recipe": None}}))
    assert not is_labels(viewer.add_labels(data, metadata={"napari-segment": {"preview": True}}))
