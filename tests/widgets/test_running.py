"""The foot of a dock widget, without a window."""

import pytest
from qtpy.QtCore import Qt

from napari_segment.errors import InputError
from napari_segment.widgets.forms.run_bar import Running
from napari_segment.widgets.jobs.job import Job

WAIT = 60_000


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
