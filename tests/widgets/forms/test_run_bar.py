"""The foot of a dock widget: messages of errors, results and waiting, cancelling, crashes."""

import time

import pytest
from qtpy.QtCore import Qt
from shared.windows import WAIT, add_stack, assert_done, open_dock, press, run

from napari_segment.errors import InputError
from napari_segment.widgets.forms.run_bar import Running
from napari_segment.widgets.jobs.job import Job


@pytest.fixture
def foot(qtbot, fresh_processes):
    def make():
        raise made.pop()

    made = []
    running = Running("Run", make, lambda _: None, "test of running")
    qtbot.addWidget(running)
    running.errors = made
    return running


def work():
    return Job("devices", lambda folder: {})


def test_what_a_button_meets_is_said(foot):
    foot.errors.extend([InputError("No <b>layer</b>."), ValueError("an odd <number>")])
    foot.start()
    assert foot.message.text() == "ValueError: an odd <number>"
    assert "Traceback" in foot.message.toolTip()
    assert "&lt;number&gt;" in foot.message.toolTip()
    foot.start()
    assert foot.message.text() == "No <b>layer</b>."
    assert foot.message.toolTip() == ""
    assert foot.message.textFormat() == Qt.TextFormat.PlainText
    assert foot.job is None
    assert foot.button.isEnabled()


def test_what_a_result_meets_is_said(qtbot, foot):
    def done(_):
        raise RuntimeError("no room")

    foot.begin(work, done)
    qtbot.waitUntil(lambda: foot.job is None, timeout=WAIT)
    assert foot.message.text() == "RuntimeError: no room"


def test_a_job_behind_another_says_that_it_waits(qtbot, foot):
    other = Running("Run", work, lambda _: None, "test of running")
    qtbot.addWidget(other)
    other.start()
    foot.begin(work, lambda _: None)
    assert foot.message.text() == "Waiting until other work has ended …"
    for running in (foot, other):
        qtbot.waitUntil(lambda running=running: running.job is None, timeout=WAIT)
        assert running.message.text() == "Done."


@pytest.mark.screen
def test_work_is_cancelled(qtbot, viewer, stack, fresh_processes, patient):
    add_stack(viewer, stack)
    dock = open_dock(viewer, "Edges")
    dock.method.value = (patient, {"steps": 1000})
    press(qtbot, dock.running.button)
    qtbot.waitUntil(lambda: "step" in dock.running.message.text(), timeout=WAIT)
    assert not dock.running.button.isEnabled()
    ticks = longest_pause(qtbot, seconds=1.0)
    press(qtbot, dock.running.cancel_button)
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=5000)
    assert dock.running.message.text() == "Cancelled."
    assert len(viewer.layers) == 1
    assert ticks < 3  # of a job of 50 s; 0.05 on an idle machine
    dock.method.value = (patient, {"steps": 1})
    assert_done(run(qtbot, dock))


@pytest.mark.screen
def test_crash_is_reported_and_the_next_run_works(qtbot, viewer, stack, fresh_processes, patient):
    from napari.utils.notifications import notification_manager

    add_stack(viewer, stack)
    dock = open_dock(viewer, "Edges")
    dock.method.value = (patient, {"steps": 1, "end": "abort"})
    assert "ended by itself" in run(qtbot, dock)
    assert any("ended by itself" in n.message for n in notification_manager.records)
    dock.method.value = (patient, {"steps": 1})
    assert_done(run(qtbot, dock))
    assert len(viewer.layers) == 2


def longest_pause(qtbot, seconds):
    """The longest time for which the window did not answer."""
    end, last, longest = time.monotonic() + seconds, time.monotonic(), 0.0
    while last < end:
        qtbot.wait(5)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    return longest
