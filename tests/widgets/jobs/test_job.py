"""The worker process: results, errors, cancelling, killing and crashes, without a window."""

import gc
import os
import signal
import sys
import threading
import weakref

import numpy as np
import pytest

from napari_segment import api
from napari_segment.image import Image
from napari_segment.widgets.jobs.job import Job, Process
from napari_segment.worker.stacks import load_stack, save_stack

WAIT = 60_000


@pytest.fixture
def process(qapp, plugin, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(plugin), prepend=os.pathsep)
    process = Process()
    yield process
    process.close()


@pytest.fixture
def image():
    return Image(np.arange(12, dtype=np.uint8).reshape(3, 4), spacing=(2, 3), unit="micrometer")


def segmentation(image, name, **settings):
    recipe = {"method": {"name": name, "settings": settings}}

    def prepare(folder):
        return {"image": save_stack(image, folder, "image"), "recipe": recipe}

    return Job("segment", prepare, lambda result: load_stack(result["labels"], memory=True))


def watch(job):
    seen = {"steps": [], "failed": [], "cancelled": 0}
    job.stepped.connect(seen["steps"].append)
    job.failed.connect(lambda text, trace: seen["failed"].append((text, trace)))
    job.cancelled.connect(lambda: seen.update(cancelled=seen["cancelled"] + 1))
    return seen


def test_result_steps_and_preview_come_back(qtbot, process, image):
    job = segmentation(image, "patient", steps=4, pause=0.0)
    seen = watch(job)
    with qtbot.waitSignal(job.done, timeout=WAIT) as result:
        process.run(job)
    labels = result.args[0]
    np.testing.assert_array_equal(labels.data, image.data > 0)
    assert (labels.spacing, labels.unit, labels.holds) == ((2.0, 3.0), "micrometer", "mask")
    assert labels.recipe.method.settings["steps"] == 4
    assert [s.numbers["i"] for s in seen["steps"] if s.numbers] == [0, 1, 2, 3]
    previews = [s.preview["slice"] for s in seen["steps"] if s.preview]
    np.testing.assert_array_equal(previews, [np.ones((2, 2))])
    assert not job.folder.exists()
    assert "libraries print" in process.error_output


def test_errors_are_reported_and_the_next_job_runs(qtbot, process, image):
    wrong = segmentation(image, "patient", stepz=4)
    failing = segmentation(image, "patient", steps=1, end="raise")
    good = segmentation(image, "patient", steps=1)
    first, second = watch(wrong), watch(failing)
    with qtbot.waitSignal(good.done, timeout=WAIT):
        for job in (wrong, failing, good):
            process.run(job)
    assert first["failed"][0] == (
        "'patient' has no setting 'stepz'. Did you mean 'steps'? Its settings: steps, pause, end.",
        "",
    )
    text, trace = second["failed"][0]
    assert text == "RuntimeError: a bad day"
    assert "patient_plugin.py" in trace


def test_steps_keep_their_order_where_showing_one_lets_qt_go_on(qtbot, process, image):
    job = segmentation(image, "patient", steps=40, pause=0.02)
    shown = []

    def show(step):  # as napari's progress bar does
        if step.numbers:
            if not shown:
                qtbot.wait(500)
            shown.append(step.numbers["i"])

    job.stepped.connect(show)
    with qtbot.waitSignal(job.done, timeout=WAIT):
        process.run(job)
    assert shown == list(range(40))


def test_steps_of_a_job_that_ends_meanwhile_are_not_shown(qtbot, process, image):
    job = segmentation(image, "patient", steps=200, pause=0.001)
    shown = []

    def show(step):
        shown.append(step)
        if step.numbers:
            process.kill()
            qtbot.waitUntil(lambda: job.over, timeout=WAIT)

    job.stepped.connect(show)
    with qtbot.waitSignal(job.failed, timeout=WAIT):
        process.run(job)
    qtbot.wait(50)
    assert sum(bool(step.numbers) for step in shown) == 1
    assert not job.folder.exists()


def test_cancelled_work_ends_and_the_process_stays(qtbot, process, image):
    job, waiting = segmentation(image, "patient"), segmentation(image, "patient")
    with qtbot.waitSignal(job.stepped, timeout=WAIT):
        process.run(job)
        process.run(waiting)
    pid = process.pid
    with qtbot.waitSignal(waiting.cancelled, timeout=1000):
        waiting.cancel()
    with qtbot.waitSignal(job.cancelled, timeout=2000):
        job.cancel()
    assert not job.folder.exists()
    again = segmentation(image, "patient", steps=1)
    with qtbot.waitSignal(again.done, timeout=WAIT):
        process.run(again)
    assert process.pid == pid


def test_deaf_work_is_killed(qtbot, process, image, monkeypatch):
    job = segmentation(image, "patient", pause=600.0)
    process._killer.setInterval(200)
    with qtbot.waitSignal(job.stepped, timeout=WAIT):
        process.run(job)
    with qtbot.waitSignal(job.cancelled, timeout=5000):
        job.cancel()
    again = segmentation(image, "patient", steps=1)
    with qtbot.waitSignal(again.done, timeout=WAIT):
        process.run(again)


def test_crash_costs_one_job(qtbot, process, image):
    crashing = segmentation(image, "patient", steps=1, end="abort")
    good = segmentation(image, "patient", steps=1)
    seen = watch(crashing)
    with qtbot.waitSignal(good.done, timeout=WAIT):
        process.run(crashing)
        process.run(good)
    assert "a library crashed (signal 6)" in seen["failed"][0][0]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
def test_killed_from_outside(qtbot, process, image):
    job = segmentation(image, "patient")
    seen = watch(job)
    with qtbot.waitSignal(job.stepped, timeout=WAIT):
        process.run(job)
    with qtbot.waitSignal(job.failed, timeout=5000):
        os.kill(process.pid, signal.SIGKILL)
    assert "most likely because memory ran out" in seen["failed"][0][0]


def test_pixels_that_cannot_be_written_are_an_error(qtbot, process):
    def prepare(folder):
        raise OSError("No space left on device")

    job = Job("segment", prepare)
    with qtbot.waitSignal(job.failed, timeout=WAIT) as blocker:
        process.run(job)
    assert blocker.args[0] == "OSError: No space left on device"


class SlowWriting:
    """A job's preparation that ends when it is let go."""

    def __init__(self):
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, folder):
        self.begun.set()
        assert self.go.wait(30)
        folder.mkdir(exist_ok=True)
        (folder / "late.npy").write_bytes(b"pixels")
        return {}


def test_a_job_lives_until_its_thread_has_answered(qtbot, process):
    slow = SlowWriting()
    job = process.run(Job("segment", slow))
    folder, reference = job.folder, weakref.ref(job)
    assert slow.begun.wait(30)
    job.cancel()
    del job
    gc.collect()
    assert reference() is not None
    slow.go.set()
    qtbot.waitUntil(lambda: reference() is None and not folder.exists(), timeout=5000)
    assert not process.busy


def test_closing_while_pixels_are_written_starts_nothing_and_leaves_nothing(qtbot, process):
    slow = SlowWriting()
    first, second = process.run(Job("segment", slow)), process.run(Job("segment", slow))
    folders = [first.folder, second.folder]
    assert slow.begun.wait(30)
    process.close()
    assert not any(folder.exists() for folder in folders)
    reference = weakref.ref(first)
    del first, second
    slow.go.set()
    qtbot.waitUntil(lambda: reference() is None, timeout=5000)
    assert not any(folder.exists() for folder in folders)
    assert process.pid == 0


def test_reading_a_result_can_be_cancelled(qtbot, process, image):
    go, reading = threading.Event(), threading.Event()

    def receive(result):
        reading.set()
        go.wait(30)

    job = segmentation(image, "patient", steps=1)
    job.receive = receive
    ended = []
    job.done.connect(lambda _: ended.append("done"))
    job.cancelled.connect(lambda: ended.append("cancelled"))
    process.run(job)
    qtbot.waitUntil(reading.is_set, timeout=WAIT)
    pid = process.pid
    with qtbot.waitSignal(job.cancelled, timeout=1000):
        job.cancel()
    again = segmentation(image, "patient", steps=1)
    with qtbot.waitSignal(again.done, timeout=WAIT):
        process.run(again)
    go.set()
    qtbot.wait(100)
    assert ended == ["cancelled"]
    assert process.pid == pid


def test_lazy_stacks_stay_lazy(tmp_path):
    import dask.array as da

    numbers = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)
    image = Image(da.from_array(numbers, chunks=(2, 3, 5)), interval=2.0, name="lazy")
    back = load_stack(save_stack(image, tmp_path, "image"))
    assert back.data.chunks == ((2, 1), (3, 1), (5,))
    np.testing.assert_array_equal(back.data.compute(), numbers)
    assert (back.interval, back.name) == (2.0, "lazy")
    assert load_stack(save_stack(image, tmp_path, "x"), memory=True).data.max() == 59


def test_same_as_in_this_process(qtbot, process):
    noise = np.random.default_rng(0).integers(0, 4000, (5, 16, 17)).astype(np.uint16)
    job = segmentation(Image(noise), "otsu")
    with qtbot.waitSignal(job.done, timeout=WAIT) as result:
        process.run(job)
    labels = result.args[0]
    np.testing.assert_array_equal(labels.data, api.segment(noise, "otsu").data)
    np.testing.assert_array_equal(labels.data, api.replay(labels.recipe, noise).data)
