"""Processes that work on files: the same results, deaths that cost one file, no orphans."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from napari_segment import Image, read, write
from napari_segment.api import Batch, Reading, recipe_of, segment_files
from napari_segment.api.batch.report import Task
from napari_segment.api.batch.run import run_files_steps
from napari_segment.step import FileStep, run

WORK = """
import os, signal, time, warnings
from napari_segment.step import Step

def work(path, target):
    yield Step(0, 0, "")
    number = int(path.name)
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 2:
        os._exit(7)
    if number == 3:
        warnings.warn("three is odd")
    if number == 4:
        raise ValueError("four is even")
    if number == 9:
        target.write_text(str(os.getpid()))
        time.sleep(60)
    print("not for the other process")
    return {"process": os.getpid()}
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A function that processes can import."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "work_of_test.py").write_text(WORK)
    monkeypatch.syspath_prepend(tmp_path / "lib")
    paths = [str(tmp_path / "lib"), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    import work_of_test

    yield work_of_test.work
    del sys.modules["work_of_test"]


def paths(numbers):
    return [Path(str(number)) for number in numbers]


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
def test_a_process_that_dies_fails_its_file_alone(work):
    inputs = paths([0, 1, 5, 2, 6, 4, 7])
    rows = run(run_files_steps(inputs, inputs, work, Batch(workers=2)))
    assert [row["input"] for row in rows] == ["0", "1", "5", "2", "6", "4", "7"]
    assert [row["status"] for row in rows] == [
        "done", "failed", "done", "failed", "done", "failed", "done"
    ]  # fmt: skip
    assert "SIGKILL" in rows[1]["error"]
    assert "status 7" in rows[3]["error"]
    assert rows[5]["error"] == "ValueError: four is even"
    processes = {row["process"] for row in rows if row["status"] == "done"}
    assert os.getpid() not in processes
    assert len(processes) >= 2


def test_warnings_come_from_the_other_process(work):
    inputs = paths([0, 3])
    with pytest.warns(UserWarning, match="three is odd"):
        rows = run(run_files_steps(inputs, inputs, work, Batch(workers=1)))
    assert [set(row) >= {"seconds", "peak_memory"} for row in rows] == [True, True]
    assert "warnings" not in rows[1]


def test_processes_end_with_the_work(work, tmp_path):
    note = tmp_path / "process"
    steps = run_files_steps(
        paths([0, 9]), [tmp_path / "x", note], work, Batch(workers=2, report=tmp_path / "r.json")
    )
    step = next(steps)
    assert isinstance(step, FileStep)
    assert step.row["status"] == "done"
    while not note.exists() or not note.read_text():
        time.sleep(0.01)
    began = time.monotonic()
    steps.close()
    assert time.monotonic() - began < 10
    assert not psutil.pid_exists(int(note.read_text()))
    assert '"status": "done"' in (tmp_path / "r.json").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
def test_processes_end_after_one_that_is_killed(work, tmp_path):
    """A killed run leaves nothing behind that works on."""
    note = tmp_path / "process"
    code = (
        "from pathlib import Path; from work_of_test import work\n"
        "from napari_segment.api.batch.run import Batch, run_files_steps\n"
        "from napari_segment.step import run\n"
        f"run(run_files_steps([Path('9'), Path('8')], [Path({str(note)!r})] * 2, work, "
        "Batch(workers=1)))"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    while not note.exists() or not note.read_text():
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    child = int(note.read_text())
    deadline = time.monotonic() + 20
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_results_are_those_of_one_process(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(4):
        pixels = rng.integers(0, 255, (20, 30), np.uint8)
        write(Image(pixels, spacing=(2, 3), unit="micrometer"), tmp_path / f"in/{number}.tif")
    (tmp_path / "in/2.tif").write_bytes(b"II*\0 broken")
    recipe = recipe_of("otsu", filters=["median"])
    here, apart = (
        segment_files(tmp_path / "in", tmp_path / f"out{n}", recipe, batch=Batch(workers=n))
        for n in (0, 2)
    )
    assert [row["status"] for row in here] == ["done", "done", "failed", "done"]
    for one, other in zip(here, apart, strict=True):
        for name in ("input", "status", "error", "recipe", "count", "spacing"):
            assert one.get(name) == other.get(name)
    for number in (0, 1, 3):
        pair = [read(tmp_path / f"out{n}/{number}.tif") for n in (0, 2)]
        assert np.array_equal(pair[0].data, pair[1].data)
        assert pair[1].spacing == (2, 3)


def test_threads_are_shared(monkeypatch):
    from napari_segment.runtime import variables_of_share

    given = {"NAPARI_SEGMENT_THREADS": "8", "OMP_NUM_THREADS": "8", "NUMBA_NUM_THREADS": "1"}
    monkeypatch.setenv("NAPARI_SEGMENT_THREADS", "8")
    shared = variables_of_share(given, 4)
    assert shared["NAPARI_SEGMENT_THREADS"] == shared["OMP_NUM_THREADS"] == "2"
    assert shared["NUMBA_NUM_THREADS"] == "1"
    assert variables_of_share(given, 100)["NAPARI_SEGMENT_THREADS"] == "1"


def test_one_file_raises_its_error(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0 broken")
    with pytest.raises(OSError, match=r"a\.tif"):
        segment_files(tmp_path / "a.tif", tmp_path / "b.tif", recipe_of("otsu"))
    rows = segment_files(
        tmp_path / "a.tif", tmp_path / "b.tif", recipe_of("otsu"), batch=Batch(workers=1),
        reading=Reading(lazy=True),
    )  # fmt: skip
    assert rows[0]["status"] == "failed"


def test_a_task_says_what_it_is():
    assert Task(0, Path("a"), Path("b")).row("skipped") == {
        "input": "a", "output": "b", "status": "skipped", "error": None
    }  # fmt: skip
