"""Docks of this plug-in are tabs of one area, and end their work when they are closed."""

import pytest
from qtpy.QtWidgets import QDockWidget
from shared.windows import WAIT, add_stack, assert_done, open_dock, press, run

pytestmark = pytest.mark.screen


NAMES = ("Threshold", "Edges", "Clusters", "Measure", "Compare", "Track")


def opened(viewer, name):
    return viewer.window.add_plugin_dock_widget("napari-segment", name)[0]


def test_docks_become_tabs_and_the_window_stays_within_the_screen(qtbot, viewer):
    window = viewer.window._qt_window
    first = opened(viewer, NAMES[0])
    for name in NAMES[1:]:
        dock = opened(viewer, name)
        qtbot.waitUntil(lambda dock=dock: bool(window.tabifiedDockWidgets(dock)), timeout=5000)
    assert len(window.tabifiedDockWidgets(first)) == len(NAMES) - 1
    assert window.height() <= window.screen().availableGeometry().height()
    assert not dock.visibleRegion().isEmpty()  # the newest is in front


def test_a_dock_that_a_person_moved_stays_there(qtbot, viewer):
    window = viewer.window._qt_window
    one, two = (opened(viewer, name) for name in NAMES[:2])
    qtbot.waitUntil(lambda: two in window.tabifiedDockWidgets(one), timeout=5000)
    two.setFloating(True)
    qtbot.wait(50)
    two.hide()
    two.show()
    qtbot.wait(50)
    assert two.isFloating()
    assert not window.tabifiedDockWidgets(one)


def test_docks_of_others_are_left_alone(qtbot, viewer):
    from qtpy.QtWidgets import QLabel

    window = viewer.window._qt_window
    other = viewer.window.add_dock_widget(QLabel("not ours"), name="other")
    dock = opened(viewer, NAMES[0])
    qtbot.wait(100)
    assert other not in window.tabifiedDockWidgets(dock)
    assert isinstance(other, QDockWidget)


def test_closing_the_dock_ends_its_work(qtbot, viewer, stack, fresh_processes, patient):
    add_stack(viewer, stack)
    dock = open_dock(viewer, "Edges")
    dock.method.value = (patient, {"steps": 1000})
    press(qtbot, dock.running.button)
    qtbot.waitUntil(lambda: "step" in dock.running.message.text(), timeout=WAIT)
    viewer.window.remove_dock_widget(dock)
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=5000)
    assert len(viewer.layers) == 1
    again = open_dock(viewer, "Edges")
    again.method.value = (patient, {"steps": 1})
    assert_done(run(qtbot, again))
