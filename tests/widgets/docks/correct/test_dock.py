"""The Correct dock in a window: every tool by mouse and key, undone, recorded, taken up again."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

import napari_segment as ns
from napari_segment.recipe import Edit
from napari_segment.testing import edit_sample

pytestmark = pytest.mark.screen
LEFT = Qt.MouseButton.LeftButton
THROTTLED = 12  # milliseconds; napari leaves out moves of the mouse within 5


class Hand:
    """A mouse over the canvas, which goes to positions (Y, X) of the data."""

    def __init__(self, viewer, qapp):
        self.viewer, self.qapp = viewer, qapp
        self.canvas = viewer.window._qt_viewer.canvas

    def at(self, position):
        y, x = position
        point = self.canvas.view.scene.transform.map([x, y, 0, 1])
        return QPoint(round(point[0] / point[3]), round(point[1] / point[3]))

    def drag(self, *positions):
        native = self.canvas.native
        start, *others = positions
        self.move(native, self.at(start), Qt.MouseButton.NoButton)
        QTest.mousePress(native, LEFT, pos=self.at(start))
        self.qapp.processEvents()
        last = start
        for position in others:
            for share in (0.25, 0.5, 0.75, 1):
                between = np.asarray(last) * (1 - share) + np.asarray(position) * share
                self.move(native, self.at(between))
            last = position
        QTest.mouseRelease(native, LEFT, pos=self.at(last))
        self.qapp.processEvents()

    def move(self, native, point, buttons=LEFT):
        """Without the pointer of the screen, whose own moves would come in between."""
        from qtpy.QtCore import QEvent, QPointF
        from qtpy.QtGui import QMouseEvent

        event = QMouseEvent(
            QEvent.Type.MouseMove, QPointF(point), QPointF(native.mapToGlobal(point)),
            Qt.MouseButton.NoButton, buttons, Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        self.qapp.sendEvent(native, event)
        QTest.qWait(THROTTLED)

    def click(self, position):
        self.drag(position)

    def key(self, key, modifier=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(self.canvas.native, key, modifier)
        self.qapp.processEvents()

    def shift(self, letter):
        self.key(getattr(Qt.Key, f"Key_{letter}"), Qt.KeyboardModifier.ShiftModifier)

    def control(self, letter, *, shift=False):
        modifier = Qt.KeyboardModifier.ControlModifier
        if shift:
            modifier |= Qt.KeyboardModifier.ShiftModifier
        self.key(getattr(Qt.Key, f"Key_{letter}"), modifier)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def opened(viewer, qapp, labels, image=None, **options):
    if image is not None:
        viewer.add_image(image, name="image", **options)
    layer = viewer.add_labels(labels, name="labels", **options)
    dock = viewer.window.add_plugin_dock_widget("napari-segment", "Correct")[1]
    if image is not None:
        assert dock.image.layer is viewer.layers["image"]  # the only one of the shape
    viewer.reset_view()
    qapp.processEvents()
    return layer, dock, Hand(viewer, qapp)


@pytest.fixture
def plane(viewer, qapp, home):
    labels, image = edit_sample()
    layer, dock, hand = opened(viewer, qapp, labels.astype(np.int32), image)
    return layer, dock, hand, labels


def names(dock):
    return [edit.name for edit in dock.edits.session.edits]


def test_objects_are_clicked_merged_and_swapped(plane):
    layer, dock, hand, labels = plane
    hand.shift("D")
    assert dock.toolbox.tool.name == "delete"
    hand.click((11, 3))
    assert 3 not in layer.data
    hand.shift("M")
    hand.drag((3, 3), (3, 10))
    assert layer.data[2, 9] == 1
    hand.click((3, 18))
    assert "Now click the other one" in dock.message.text()
    hand.click((3, 3))
    assert layer.data[3, 3] == layer.data[3, 18] == 4
    hand.shift("X")
    hand.click((9, 10))
    hand.click((3, 3))
    assert layer.data[9, 10] == 4
    hand.shift("R")
    hand.click((9, 10))
    assert layer.data[9, 10] == 6
    assert names(dock) == ["delete", "merge", "merge", "swap", "relabel"]
    for _ in range(5):
        hand.control("Z")
    assert np.array_equal(layer.data, labels)
    assert not dock.undo_button.isEnabled()
    hand.control("Z", shift=True)
    assert 3 not in layer.data


def test_lines_points_and_lassos_are_drawn(plane):
    layer, dock, hand, _labels = plane
    hand.shift("S")
    hand.drag((0, 19), (7, 19))
    assert layer.data[3, 16] != layer.data[3, 27]
    hand.control("Z")
    hand.shift("W")
    hand.click((3, 18))
    hand.click((3, 26))
    assert "2 points" in dock.message.text()
    hand.key(Qt.Key.Key_Return)
    assert layer.data[3, 16] != layer.data[3, 27]
    hand.control("Z")
    hand.shift("C")
    hand.drag((0, 0), (0, 3.5), (7, 3.5), (7, 0))
    assert layer.data[3, 2] != layer.data[3, 5]
    hand.shift("N")
    hand.drag((8, 15), (8, 25), (13, 25), (13, 15))
    assert layer.data[10, 20] == layer.data.max()
    hand.key(Qt.Key.Key_Escape)
    assert dock.toolbox.tool is None
    assert layer.mouse_pan


def test_outlines_change_by_their_settings(plane):
    layer, dock, hand, _labels = plane
    hand.shift("F")
    hand.click((2, 9))
    assert (layer.data[1:7, 8:14] == 2).all()
    hand.shift("G")
    dock.toolbox.forms["grow"].settings = {"distance": 2.0}
    hand.click((3, 3))
    assert layer.data[7, 3] == 1
    hand.shift("K")
    dock.toolbox.forms["shrink"].settings = {"distance": 1.0}
    hand.click((3, 3))
    assert layer.data[7, 3] == 0
    hand.shift("O")
    hand.click((3, 3))
    hand.shift("A")
    hand.click((9, 10))
    assert dock.edits.session.accepted == {5}
    assert names(dock) == ["fill_holes", "grow", "shrink", "smooth", "accept"]


def test_strokes_of_the_brush_are_recorded_and_undone_with_the_rest(plane):
    layer, dock, hand, labels = plane
    hand.shift("D")
    hand.click((11, 3))
    layer.mode, layer.brush_size, layer.selected_label = "paint", 3, 9
    assert dock.toolbox.tool is None
    hand.drag((11, 16), (11, 24))
    assert layer.data[11, 20] == 9
    assert names(dock) == ["delete", "paint"]
    layer.mode = "erase"
    hand.drag((3, 1), (3, 5))
    layer.mode, layer.selected_label = "fill", 7
    hand.click((3, 18))
    assert names(dock) == ["delete", "paint", "paint", "paint"]
    painted = layer.data.copy()
    journal = dock.edits.session.journal
    assert np.array_equal(ns.replay_edits(labels, journal).data, painted)
    for _ in range(4):
        hand.control("Z")
    assert np.array_equal(layer.data, labels)


def test_empty_clicks_say_so_and_change_nothing(plane):
    layer, dock, hand, labels = plane
    hand.shift("D")
    hand.click((12, 28))
    assert "no object under the mouse" in dock.message.text()
    hand.shift("S")
    hand.drag((12, 25), (12, 29))
    assert "crosses no object" in dock.message.text()
    assert np.array_equal(layer.data, labels)


@pytest.fixture
def volume(viewer, qapp, home):
    labels, image = edit_sample(3)
    scale = (2, 0.5, 0.5)
    layer, dock, hand = opened(viewer, qapp, labels.astype(np.int32), image, scale=scale)
    hand.at = lambda p, at=hand.at: at((p[0] * 0.5, p[1] * 0.5))
    viewer.dims.set_current_step(0, 0)
    qapp.processEvents()
    return layer, dock, hand, labels


def test_planes_are_interpolated_extended_and_copied(volume, viewer):
    layer, dock, hand, _ = volume
    hand.shift("I")
    hand.click((10, 10))
    assert (layer.data[:, 10, 10] == 5).all()
    hand.control("Z")
    hand.shift("E")
    dock.toolbox.forms["extend"].settings = {"to": 2}
    hand.click((10, 10))
    assert layer.data[:, 10, 10].tolist() == [5, 5, 5, 0, 5]
    hand.control("Z")
    hand.shift("V")
    hand.click((10, 10))
    assert layer.data[:, 10, 10].tolist() == [5, 5, 0, 0, 5]
    assert viewer.dims.current_step[0] == 1
    hand.click((10, 10))
    assert layer.data[:, 10, 10].tolist() == [5, 5, 5, 0, 5]
    hand.shift("I")
    hand.click((12, 25))  # on background: all objects
    assert (layer.data[:, 10, 10] == 5).all()


def test_whole_objects_or_one_plane(volume):
    layer, dock, hand, _ = volume
    hand.shift("S")
    hand.drag((0, 19), (7, 19))
    assert all(plane[3, 16] != plane[3, 27] for plane in layer.data)
    hand.control("Z")
    dock.planes.setCurrentIndex(1)
    hand.drag((0, 19), (7, 19))
    assert [bool(p[3, 16] != p[3, 27]) for p in layer.data] == [True, False, False, False, False]
    hand.shift("N")
    hand.drag((8, 15), (8, 25), (13, 25), (13, 15))
    assert layer.data[:, 10, 20].astype(bool).tolist() == [True, False, False, False, False]


def test_volumes_are_shown_and_clicked_in_three_dimensions(volume, viewer, qapp):
    layer, dock, hand, _ = volume
    viewer.dims.ndisplay = 3
    viewer.reset_view()
    qapp.processEvents()
    hand.shift("D")
    point = hand.canvas.view.scene.transform.map([3 * 0.5, 11 * 0.5, 2 * 2, 1])
    hand.at = lambda _: QPoint(round(point[0] / point[3]), round(point[1] / point[3]))
    hand.click(None)
    assert names(dock) == ["delete"]
    assert set(np.unique(layer.data)) == {0, 1, 2, 4, 5}
    hand.shift("S")
    hand.click(None)
    assert "2-D view" in dock.message.text()


def test_a_session_is_taken_up_or_begun_anew(plane, viewer, qapp):
    layer, dock, hand, labels = plane
    hand.shift("D")
    hand.click((11, 3))
    corrected = layer.data.copy()
    journal = dock.edits.session.journal
    dock.labels.layer = None
    dock.labels.setCurrentIndex(0)
    again = viewer.add_labels(labels.astype(np.int32), name="again")
    dock.labels.layer = again
    assert "1 edits from an earlier session" in dock.message.text()
    assert not dock.toolbox.isEnabled()
    QTest.mouseClick(dock.take_up_button, LEFT)
    assert np.array_equal(again.data, corrected)
    dock.labels.setCurrentIndex(0)
    third = viewer.add_labels(labels.astype(np.int32), name="third")
    dock.labels.layer = third
    QTest.mouseClick(dock.anew_button, LEFT)
    assert np.array_equal(third.data, labels)
    assert len(list(journal.parent.glob("*.jsonl"))) == 2


def test_layers_that_cannot_be_edited_say_why(viewer, qapp, home):
    import dask.array as da

    lazy = viewer.add_labels(da.zeros((8, 8), dtype=np.uint8), name="lazy")
    several = viewer.add_labels([np.zeros((8, 8), int), np.zeros((4, 4), int)], name="several")
    dock = viewer.window.add_plugin_dock_widget("napari-segment", "Correct")[1]
    for layer, message in ((lazy, "is computed when it is shown"), (several, "resolutions")):
        dock.labels.layer = layer
        assert message in dock.message.text()
        assert not dock.toolbox.isEnabled()
    dock.labels.setCurrentIndex(0)
    assert "Choose a Labels layer" in dock.message.text()


def test_a_lazy_layer_is_loaded_when_asked_for(viewer, qapp, home, monkeypatch):
    import dask.array as da

    labels = edit_sample()[0]
    layer, dock, hand = opened(viewer, qapp, da.from_array(labels.astype(np.int32), chunks=8))
    assert dock.load_button.isVisible()
    monkeypatch.setattr("napari_segment.blocks.memory.free_memory", lambda: 100)
    QTest.mouseClick(dock.load_button, LEFT)
    assert "GB are free" in dock.message.text()
    monkeypatch.undo()
    monkeypatch.setenv("HOME", str(home))
    QTest.mouseClick(dock.load_button, LEFT)
    assert not dock.load_button.isVisible()
    hand.shift("D")
    hand.click((11, 3))
    assert 3 not in layer.data


def test_replaced_data_end_the_session(plane):
    layer, dock, _hand, labels = plane
    layer.data = labels.astype(np.int32)
    assert "were replaced" in dock.message.text()
    assert dock.edits is None


def test_objects_are_reviewed_in_the_order_of_doubt(volume, viewer):
    layer, dock, hand, _ = volume
    hand.shift("J")  # orders first
    queue = dock.queue
    order = queue.table["label"].tolist()
    assert sorted(order) == [1, 2, 3, 4, 5]
    assert layer.selected_label == order[0]
    box = dock.edits.session.history.index.box(order[0])
    centre = [(side.start + side.stop - 1) / 2 for side in box]
    np.testing.assert_allclose(viewer.scene.camera.center[1:], np.array(centre[1:]) * 0.5)
    assert viewer.dims.current_step[0] == round(centre[0])
    hand.shift("Y")
    assert dock.edits.session.accepted == {order[0]}
    assert layer.selected_label == order[1]
    assert queue.progress.format() == "1 of 5 accepted"
    hand.shift("H")
    assert layer.selected_label == order[0]  # back, though it is accepted
    hand.shift("J")
    hand.shift("J")
    assert layer.selected_label == order[2]
    dock.make(Edit(name="delete", settings={"numbers": [order[3]]}))
    assert queue.progress.format() == "1 of 4 accepted"
    for _ in range(3):
        hand.shift("Y")
    assert "All objects are accepted" in queue.about.text()
    assert names(dock).count("accept") == 4
    hand.control("Z")
    assert queue.progress.format() == "3 of 4 accepted"


def test_a_changed_object_is_to_be_seen_again(plane):
    layer, dock, hand, _ = plane
    dock.queue.order()
    dock.queue.accept()
    first = dock.queue.table["label"].iloc[0]
    layer.mode, layer.brush_size, layer.selected_label = "paint", 1, 7
    y, x = np.argwhere(layer.data == first)[0]
    hand.click((y, x))
    assert first not in dock.edits.session.accepted


def test_a_dock_that_is_closed_leaves_the_layer_and_another_goes_on(plane, viewer, qapp):
    layer, dock, hand, labels = plane
    callbacks = len(layer.mouse_drag_callbacks)
    hand.shift("D")
    hand.click((11, 3))
    frame = dock.parent()
    while not hasattr(frame, "destroyOnClose"):
        frame = frame.parent()
    frame.destroyOnClose()  # as its × does
    for _ in range(5):
        qapp.processEvents()
    assert len(layer.mouse_drag_callbacks) == callbacks - 1
    hand.click((3, 3))
    assert 1 in layer.data
    again = viewer.window.add_plugin_dock_widget("napari-segment", "Correct")[1]
    assert names(again) == ["delete"]
    again.undo()
    assert np.array_equal(layer.data, labels)


def test_two_docks_do_not_edit_one_layer(plane, viewer):
    from napari_segment.widgets.docks.correct import Correct

    layer, dock, _, _ = plane
    second = Correct(viewer)
    assert dock.edits is None
    assert "Another Correct dock" in dock.message.text()
    assert second.edits.layer is layer
    second.end()


@pytest.fixture
def movie(viewer, qapp, home):
    labels = np.stack([edit_sample()[0]] * 3).astype(np.int32)
    labels[1][labels[1] == 3] = 0
    layer, dock, hand = opened(viewer, qapp, labels, axis_labels=("t", "y", "x"))
    viewer.dims.set_current_step(0, 0)
    qapp.processEvents()
    return layer, dock, hand


def test_one_time_point_or_all_are_edited(movie):
    layer, dock, hand = movie
    assert dock.times.isVisible()
    assert not dock.planes.isVisible()
    hand.shift("D")
    hand.click((3, 3))
    assert [1 in plane for plane in layer.data] == [False, True, True]
    dock.times.setCurrentIndex(1)
    hand.click((3, 18))
    assert 4 not in layer.data
    hand.shift("I")
    hand.click((11, 3))
    assert 3 in layer.data[1]
    hand.shift("V")
    dock.times.setCurrentIndex(0)
    hand.click((2, 9))
    assert names(dock)[-1] == "copy_plane"
    hand.shift("N")
    hand.drag((8, 15), (8, 25), (13, 25), (13, 15))
    assert layer.data[:, 10, 20].astype(bool).tolist() == [False, True, False]


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 2, 1), (2, 1, 0)])
def test_planes_across_any_axis_in_any_order_are_edited(volume, viewer, qapp, order):
    layer, dock, hand, labels = volume
    viewer.dims.order = order
    viewer.reset_view()
    voxel = np.array([2, 3, 18])  # in object 4
    for axis in range(3):
        viewer.dims.set_current_step(axis, voxel[axis])
    qapp.processEvents()
    scale = np.asarray(layer.scale)
    shown = list(order[1:])

    def at(voxel):
        y, x = (np.asarray(voxel) * scale)[shown]
        point = hand.canvas.view.scene.transform.map([x, y, 0, 1])
        return QPoint(round(point[0] / point[3]), round(point[1] / point[3]))

    hand.at = at
    hand.shift("D")
    hand.click(voxel)
    assert 4 not in layer.data
    assert np.array_equal(np.array(layer._slice.image.view), _drawn_anew(layer))
    hand.control("Z")
    hand.shift("S")
    ends = np.array([voxel, voxel])
    ends[:, shown[0]] = -1, layer.data.shape[shown[0]]
    if "ZYX"[shown[0]] != "X":
        hand.drag(*ends)
        assert names(dock) == ["split"]
        assert np.array_equal(layer.data > 0, labels > 0)
        assert dock.edits.session.edits[0].settings["axis"] == "ZYX"[order[0]]
    assert np.array_equal(np.array(layer._slice.image.view), _drawn_anew(layer))


def _drawn_anew(layer):
    """What a whole refresh shows."""
    layer.refresh()
    return layer._slice.image.view


@pytest.mark.parametrize(("points", "columns"), [(9, 3), (18, 1)])
def test_buttons_stand_in_as_many_columns_as_their_texts_fit(viewer, qapp, home, points, columns):
    from napari.settings import get_settings

    appearance = get_settings().appearance
    before = appearance.font_size
    try:
        appearance.font_size = points
        dock = opened(viewer, qapp, edit_sample()[0].astype(np.int32))[1]
        frame = dock.parent()
        while not hasattr(frame, "destroyOnClose"):
            frame = frame.parent()
        frame.setFixedWidth(300)
        for _ in range(8):
            qapp.processEvents()
        assert dock.toolbox.grid.columns in (columns, columns + 1)
        for button in dock.toolbox.buttons.values():
            assert button.width() >= button.fontMetrics().horizontalAdvance(button.text())
            assert button.mapTo(dock, button.rect().topRight()).x() < dock.width()
    finally:
        appearance.font_size = before
