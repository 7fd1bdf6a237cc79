"""Nested folders with one bad file in ten: all else is done, also after kills; memory is level.

A short run is among the usual tests, the long one (1,000 files) is nightly.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from napari_segment import Image, read, write
from napari_segment.io import images_in

COMMAND = (sys.executable, "-m", "napari_segment.cli", "segment", "otsu", "in", "-o", "out")
SIZES = [40, pytest.param(1000, marks=pytest.mark.nightly)]
BAD = (b"", b"II*\0 broken", b"\x89PNG\r\n\x1a\n", b"no image at all")
SIDE = 96

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no signals")


def picture(number):
    data = np.full((SIDE, SIDE), 10, np.uint16)
    data[4 : 10 + number % 60, 5:50] = 900
    return data


def name(number):
    return f"run_{number % 4}/plate_{number % 7}/well_{number % 5}/{number}"


@pytest.fixture
def folder(tmp_path, count):
    for number in range(count):
        path = tmp_path / "in" / f"{name(number)}.tif"
        write(Image(picture(number), spacing=(0.5, 0.5), unit="micrometer"), path)
        if number % 10 == 3:
            path.write_bytes(BAD[number // 10 % len(BAD)])
    return tmp_path


def run(folder, *more):
    done = subprocess.run(
        [*COMMAND, "--recursive", "--report", "report.json", *more],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads((folder / "report.json").read_text())


def check_all_done(folder, count):
    results = images_in(folder / "out", recursive=True)
    assert len(results) == count - count // 10
    for number in random.Random(0).sample(range(count), 20):
        if number % 10 != 3:
            labels = read(folder / "out" / f"{name(number)}.tif")
            assert np.array_equal(labels.data != 0, picture(number) > 100)
            assert labels.spacing == (0.5, 0.5)
    # a folder that a process was removing when it was killed goes after a minute
    assert not list((folder / "out").rglob(".writing-*/.owner.json"))


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("workers", [0, 2])
def test_all_but_the_bad_are_done_in_level_memory(folder, count, workers):
    status, rows = run(folder, "--workers", str(workers))
    assert status == 1
    assert len(rows) == count
    failed = {row["input"] for row in rows if row["status"] == "failed"}
    assert failed == {str(Path("in", f"{name(n)}.tif")) for n in range(count) if n % 10 == 3}
    assert all(Path(row["input"]).name in row["error"] for row in rows if row["error"])
    check_all_done(folder, count)
    peaks = [row["peak_memory"] for row in rows]
    if peaks[0] is not None:
        warm, last = peaks[count // 4 : count // 2], peaks[-count // 4 :]
        print(f"{workers} workers: {np.median(warm) / 2**20:.1f} MiB after a quarter of the files, "
              f"{np.median(last) / 2**20:.1f} MiB in the last")  # fmt: skip
        assert np.median(last) < np.median(warm) + 8 * 2**20
    status, rows = run(folder, "--workers", str(workers), "--skip-existing")
    assert status == 1
    assert sum(row["status"] == "skipped" for row in rows) == count - count // 10
    assert sum(row["status"] == "failed" for row in rows) == count // 10


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("workers", [0, 2])
def test_killed_runs_go_on(folder, count, workers):
    """Killed at six random moments, the whole run; then it makes only what is missing."""
    rng = random.Random(workers)
    command = [*COMMAND, "--recursive", "--workers", str(workers), "--skip-existing"]
    for _ in range(6):
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        process.stdout.readline()
        time.sleep(rng.uniform(0, 0.002 * count))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    made = {p: p.stat().st_mtime_ns for p in (folder / "out").rglob("*.recipe.yaml")}
    assert len(made) >= 6 or len(made) == count - count // 10
    wait_for_children(folder)
    made = {p: p.stat().st_mtime_ns for p in (folder / "out").rglob("*.recipe.yaml")}
    status, rows = run(folder, "--workers", str(workers), "--skip-existing")
    assert status == 1
    assert sum(row["status"] == "skipped" for row in rows) == len(made)
    assert all(p.stat().st_mtime_ns == then for p, then in made.items())
    check_all_done(folder, count)


def children(folder):
    """The processes that work in a folder, but for the one that is started by hand."""
    for process in psutil.process_iter(["cmdline"]):
        if "napari_segment.api.batch.child" in (process.info["cmdline"] or ()):
            try:
                if Path(process.cwd()) == folder and process.status() != psutil.STATUS_ZOMBIE:
                    yield process
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue


def wait_for_children(folder):
    deadline = time.monotonic() + 30
    while any(children(folder)):
        assert time.monotonic() < deadline, "a process outlived the run"
        time.sleep(0.1)


@pytest.mark.parametrize("count", SIZES)
def test_killed_processes_cost_one_file_each(folder, count):
    """One of two processes is killed again and again: its file alone fails."""
    command = [*COMMAND, "--recursive", "--workers", "2", "--report", "report.json"]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    kills, rng = 0, random.Random(0)
    while process.poll() is None and kills < 5:
        time.sleep(rng.uniform(0.3, 0.6))
        for child in children(folder):
            os.kill(child.pid, signal.SIGKILL)
            kills += 1
            break
    errors = process.communicate()[1]
    assert "Traceback" not in errors
    assert process.returncode == 1
    rows = json.loads((folder / "report.json").read_text())
    assert len(rows) == count
    killed = [row for row in rows if "SIGKILL" in (row["error"] or "")]
    assert 1 <= len(killed) <= kills
    assert sum(row["status"] == "failed" for row in rows) <= count // 10 + kills
    status, _ = run(folder, "--skip-existing")
    assert status == 1
    check_all_done(folder, count)
