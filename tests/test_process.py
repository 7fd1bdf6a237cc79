"""What changes the process as a whole is listed, documented, and undone at the end of the run."""

import os
import random
import re
import signal
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

import napari_segment
from napari_segment import segment, train
from napari_segment.image import Image, Labels
from napari_segment.step import run

SOURCE = Path(napari_segment.__file__).parent
PAGE = Path(__file__).parents[1] / "docs" / "design.md"
GLOBAL = re.compile(
    r"environ\[[^]]+\] = |environ\.setdefault|\.mallopt\(|set_num_threads\(|set_num_interop|"
    r"setNumThreads|manual_seed\(|random\.seed\(|signal\.signal\(|os\.nice\(|os\.chdir|os\.umask|"
    r"setrlimit|seterr\(|basicConfig|setlocale|set_start_method|config\.set\("
)
ENTRY_POINTS = ("cli/", "worker/", "api/batch/child.py")  # which own their process
LISTED = {
    "_kernel_cache.py": "NUMBA_CACHE_DIR",
    "deep/allocator.py": "NAPARI_SEGMENT_MALLOC",
    "deep/data/batches.py": "set_num_threads",
    "deep/inference/networks/onnx_runtime.py": "ORT_DISABLE_TELEMETRY",
    "deep/randomness.py": "manual_seed",
}


def test_only_listed_modules_touch_the_process():
    touching = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if GLOBAL.search(path.read_text("utf-8"))
    }
    library = {name for name in touching if not name.startswith(ENTRY_POINTS)}
    assert library == set(LISTED)


@pytest.mark.parametrize("module", LISTED)
def test_what_touches_the_process_is_documented(module):
    row = next(line for line in PAGE.read_text("utf-8").splitlines() if f"`{module}`" in line)
    assert LISTED[module] in row


def state():
    """What of a process others would notice."""
    return {
        "environment": dict(os.environ),
        "threads": torch.get_num_threads(),
        "torch": torch.random.get_rng_state().tolist(),
        "numpy": str(np.random.get_state()),  # noqa: NPY002
        "random": random.getstate(),
        "errors": np.geterr(),
        "warnings": list(warnings.filters),
        "signals": [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)],
        "streams": (sys.stdout, sys.stderr),
        "folder": Path.cwd(),
        "gradients": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


def work(out):
    """Train a network for two steps and predict with it."""
    rng = np.random.default_rng(0)
    pixels = rng.random((32, 32), np.float32)
    pair = (Image(pixels, "YX"), Labels((pixels > 0.5).astype(np.uint8), "YX", holds="mask"))
    model = ("unet", {"features": (4, 8), "dropout": 0.2})
    settings = {"epochs": 1, "steps": 2, "batch": 1, "device": "cpu", "workers": 1}
    run(train([pair, pair], out=out, model=model, **settings))
    segment(pixels, "network", checkpoint=out, device="cpu")


def test_a_training_and_a_prediction_leave_the_process_as_it_was(tmp_path):
    work(tmp_path / "first")  # libraries change the process when they are imported
    before = state()
    work(tmp_path / "second")
    after = state()
    assert [name for name in before if before[name] != after[name]] == []
