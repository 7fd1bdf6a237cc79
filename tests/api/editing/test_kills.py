"""Nothing that was acknowledged is lost when the process is killed, whenever that is."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import zarr

from napari_segment.api import EditSession
from napari_segment.io.journal import read_lines
from napari_segment.results.edits.history import History

WORK = """
import sys
import numpy as np, zarr
from napari_segment.api import EditSession
from napari_segment.results.edits.history import History

folder, seed, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
array = zarr.open_array(folder + "/labels.zarr")
labels = array if kind == "stored" else array[...]
rng = np.random.default_rng(seed)
session = EditSession(History(labels, "ZYX"), folder + "/edits.jsonl")
print("ready", flush=True)
while True:
    numbers = session.history.index.numbers()
    step = rng.integers(6)
    if step == 0:
        session.undo()
    elif step == 1:
        session.redo()
    elif step == 2 and len(numbers) > 4:
        session.edit("merge", numbers=rng.choice(numbers, 2, replace=False).tolist())
    elif step == 3:
        session.edit("grow", numbers=[int(rng.choice(numbers))], distance=2)
    else:
        start = int(rng.integers(0, 30000))
        session.edit("paint", runs=f"{start}+{int(rng.integers(1, 300))}", number=int(rng.integers(1, 9)))
    print(len(session.edits), session.history.checksum, flush=True)
"""  # noqa: E501


def prepare(folder):
    labels = np.zeros((20, 40, 40), np.uint16)
    for number in range(1, 9):
        labels[2:9, 4 * number : 4 * number + 3, 5:30] = number
    stored = zarr.create_array(
        folder / "labels.zarr", shape=labels.shape, chunks=(5, 16, 16), dtype="u2"
    )
    stored[...] = labels
    return labels


def killed(folder, seed, kind, seconds):
    """Let a process edit, kill it, and return the last that it acknowledged."""
    command = [sys.executable, "-c", WORK, str(folder), str(seed), kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
        lines = [line for line in process.stdout.read().splitlines(keepends=True) if "\n" in line]
    return [tuple(map(int, line.split())) for line in lines]


def check(folder, begun, kind, trials):
    for trial in range(trials):
        seconds = float(np.random.default_rng(trial).uniform(0.0, 0.25))
        acknowledged = killed(folder, trial, kind, seconds)
        stored = zarr.open_array(folder / "labels.zarr")
        labels = stored if kind == "stored" else begun.copy()
        with EditSession(History(labels, "ZYX"), folder / "edits.jsonl") as session:
            state = len(session.edits), session.history.checksum
            texts = [line["checksum"] for line in read_lines(folder / "edits.jsonl")[0]]
            if acknowledged:
                steps = [f"{checksum:016x}-20x40x40" for _, checksum in acknowledged]
                last = len(texts) - 1 - texts[::-1].index(steps[-1])
                assert len(texts) - 1 - last <= 1  # one step more may have been written
            assert texts[-1] == f"{state[1]:016x}-20x40x40"
            result = np.array(session.history.labels[(slice(None),) * 3])
            history = History(begun.copy(), "ZYX")
            for edit in session.edits:
                history.make(edit)
            assert np.array_equal(result, history.labels)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("kind", ["memory", "stored"])
def test_killed_at_random_moments(tmp_path, kind):
    check(tmp_path, prepare(tmp_path), kind, 5)


@pytest.mark.nightly
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("kind", ["memory", "stored"])
def test_killed_at_a_hundred_random_moments(tmp_path, kind):
    check(tmp_path, prepare(tmp_path), kind, 50)
