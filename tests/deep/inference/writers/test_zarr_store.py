"""Results in a store, which a killed run leaves and the next one completes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from shared.checkpoints import label, made

from napari_segment.deep.inference.prediction import Options, predict_with
from napari_segment.deep.inference.writers.zarr_store import Store
from napari_segment.errors import FormatError
from napari_segment.registry import methods
from napari_segment.step import run


def test_a_store_goes_on_where_a_killed_run_was(tmp_path, image):
    checkpoint = made(tmp_path / "a")
    want = label(checkpoint, image, overlap=0.5)
    options = Options(overlap=0.5, store=tmp_path / "out")
    steps = predict_with([checkpoint], image, (), options)
    for step in steps:
        if step.done > step.total * 0.6:
            steps.close()
    with pytest.raises(FormatError, match="Give a new"):
        label(checkpoint, image, store=tmp_path)
    second = predict_with([checkpoint], image, (), options)
    assert next(second).message.startswith("going on with the last 24 of 32 tiles")
    got = run(second)
    assert np.array_equal(np.asarray(got), want)


def test_another_job_starts_anew(tmp_path):
    job = {"shape": [6, 4], "x": 1}
    store = Store(tmp_path / "s", job, 0)
    store.begin((6, 4), np.uint8, 2)
    store.write((slice(0, 2), slice(0, 4)), np.ones((2, 4), np.uint8))
    assert Store(tmp_path / "s", job, 0).done == 2
    assert Store(tmp_path / "s", {**job, "x": 2}, 0).done == 0


SCRIPT = """
import sys, time, numpy as np
from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.inference.prediction import Options, predict_with
image = np.random.default_rng(3).normal(size=(1, 20, 34, 40)).astype(np.float32)
checkpoint, options = Checkpoint.load(sys.argv[1]), Options(overlap=0.5, store=sys.argv[2])
for step in predict_with([checkpoint], image, (), options):
    print(step.done, step.total, flush=True)
    time.sleep(0.05)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_kill_9_loses_nothing(tmp_path, image):
    checkpoint = made(tmp_path / "a")
    arguments = [sys.executable, "-c", SCRIPT, tmp_path / "a", tmp_path / "out"]
    process = subprocess.Popen(list(map(str, arguments)), stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        done, total = map(int, line.split())
        if done > total * 0.6:
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    time.sleep(0.1)
    options = {"overlap": 0.5, "store": str(tmp_path / "out")}
    steps = predict_with([checkpoint], image, (), Options(**options))
    assert "going on" in next(steps).message
    assert np.array_equal(np.asarray(run(steps)), label(checkpoint, image, overlap=0.5))


def test_maps_are_stored_and_resumed_with_the_labels(tmp_path, image):
    made(tmp_path / "a")
    settings = {"checkpoint": tmp_path / "a", "maps": ("entropy",), "overlap": 0.5}
    want = run(methods["network"](image, (1.0,) * 3, **settings))
    steps = methods["network"](image, (1.0,) * 3, **settings, store=tmp_path / "out")
    for step in steps:
        if step.done > step.total * 0.6:
            steps.close()
    again = methods["network"](image, (1.0,) * 3, **settings, store=tmp_path / "out")
    assert next(again).message.startswith("going on")
    got = run(again)
    (of_one_input,) = (p for p in (tmp_path / "out").iterdir() if p.is_dir())
    assert (of_one_input / "entropy").is_dir()
    assert np.array_equal(np.asarray(got.array), want.array)
    assert np.array_equal(np.asarray(got.maps["entropy"]), want.maps["entropy"])
