"""A sparse volume larger than the memory allowed, predicted, killed and resumed.

Run with::

    python benchmarks/large.py                 # 1 GB, a trial
    python benchmarks/large.py --gigabytes 40  # larger than the 4 GB of memory allowed

A zarr volume of light-sheet proportions is made on the fly: a few bright cells in nothing, so that
few of its chunks are ever written. A small network predicts it twice in processes of their own
whose memory is limited by the system (``RLIMIT_DATA``, Linux): once to the end, and once killed
with ``SIGKILL`` half way and started again. Both results are compared chunk by chunk. Tiles that
are constant go through the network once, which gives what computing them all would give.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

CHUNK = 128
CELLS_PER_GB = 4


def shape_of(gigabytes):
    """Five times as long as wide, in whole chunks."""
    side = max(1, round((gigabytes * 1e9 / 5) ** (1 / 3) / CHUNK)) * CHUNK
    length = max(1, round(gigabytes * 1e9 / side**2 / CHUNK)) * CHUNK
    return length, side, side


def make_volume(folder, gigabytes):
    """Balls of noise, 20 to 40 voxels wide, in a volume of zeros (uint8)."""
    import zarr

    shape = shape_of(gigabytes)
    volume = zarr.create_array(folder, shape=shape, chunks=(CHUNK,) * 3, dtype="uint8")
    rng = np.random.default_rng(0)
    for _ in range(max(4, int(CELLS_PER_GB * gigabytes))):
        radius = int(rng.integers(10, 20))
        centre = [int(rng.integers(radius, n - radius)) for n in shape]
        grid = np.arange(-radius, radius)
        ball = (grid[:, None, None] ** 2 + grid[:, None] ** 2 + grid**2) < radius**2
        where = tuple(slice(c - radius, c + radius) for c in centre)
        bright = rng.integers(80, 255, ball.shape)
        volume[where] = np.maximum(volume[where], (ball * bright).astype(np.uint8))
    return shape


def make_network(folder):
    """A small network with random weights, as a checkpoint."""
    import torch

    from napari_segment.deep.checkpoint import Checkpoint
    from napari_segment.deep.nn import models
    from napari_segment.deep.planning.normalisation import Normalisation

    settings = {"features": 2, "levels": 2, "norm": "none"}
    spec = {"name": "textbook_unet", "settings": settings}
    torch.manual_seed(0)
    network = models.build((spec["name"], spec["settings"]), 1, 1, 3)
    Checkpoint(
        folder=folder, model=spec, ndim=3, channels=("c",), channels_out=1, activation="sigmoid",
        holds="mask", values=(0, 1), patch=(32, 128, 128),
        normalisation=(Normalisation(scheme="fixed", shift=60.0, scale=60.0),),
    ).save(network.state_dict())  # fmt: skip


def predict(folder, store, limit):
    """In a process of its own: predict with so many bytes at most, and say how far it is."""
    import dask.array as da

    from napari_segment.deep.checkpoint import Checkpoint
    from napari_segment.deep.inference.prediction import Options, predict_with

    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    image = da.from_zarr(str(folder / "volume.zarr"))[None]
    options = Options(device="cpu", overlap=0.25, store=Path(store))
    for step in predict_with([Checkpoint.load(folder / "network")], image, (), options):
        if step.message or step.done % 50 == 0:
            print(json.dumps({"done": step.done, "total": step.total, "message": step.message}))
            sys.stdout.flush()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"peak": peak}), flush=True)


def started(folder, store, limit):
    command = [sys.executable, __file__, "--predict", str(folder), str(store), str(limit)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def whole(folder, store, limit):
    """Predict to the end: seconds, peak memory, what was said first."""
    begun = time.perf_counter()
    process = started(folder, store, limit)
    steps = [json.loads(line) for line in process.stdout]
    said = next((step["message"] for step in steps if "tiles" in step.get("message", "")), "")
    if process.wait() or "peak" not in steps[-1]:
        sys.exit(f"The prediction ended with status {process.returncode}.")
    return time.perf_counter() - begun, steps[-1]["peak"], said


def killed(folder, store, limit):
    """Predict and kill it half way: how far it was."""
    process = started(folder, store, limit)
    for line in process.stdout:
        step = json.loads(line)
        if step.get("total") and step["done"] >= step["total"] / 2:
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    return step["done"] / step["total"]


def checksums(store):
    """Of every chunk of a result that is not empty, by its file."""
    (labels,) = store.glob("*/labels")
    files = (f for f in (labels / "c").rglob("*") if f.is_file())
    return {str(f.relative_to(labels)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--memory", type=float, default=4.0, help="GB allowed, libraries and all")
    parser.add_argument("--folder", type=Path, help="where (default: a temporary folder)")
    parser.add_argument("--predict", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.predict:
        folder, store, limit = options.predict
        predict(Path(folder), store, int(limit))
        return
    limit = int(options.memory * 1e9)
    folder = Path(tempfile.mkdtemp(prefix="large-", dir=options.folder))
    try:
        shape = make_volume(folder / "volume.zarr", options.gigabytes)
        make_network(folder / "network")
        seconds, peak, message = whole(folder, folder / "one.zarr", limit)
        part = killed(folder, folder / "two.zarr", limit)
        again, _, resumed = whole(folder, folder / "two.zarr", limit)
        one, two = checksums(folder / "one.zarr"), checksums(folder / "two.zarr")
        row = {
            "shape": shape,
            "GB": round(float(np.prod(shape)) / 1e9, 2),
            "GB allowed": options.memory,
            "GB at most": round(peak / 1e9, 2),
            "seconds": round(seconds),
            "said": message,
            "killed at": round(part, 2),
            "seconds after": round(again),
            "then said": resumed,
            "chunks that are not empty": len(one),
            "different": sum(one.get(name) != two.get(name) for name in {*one, *two}),
            "processors": os.cpu_count(),
        }
        print(json.dumps(row, indent=2))
        if not one or one != two or "going on" not in resumed or peak > limit:
            sys.exit("The resumed run differs, did not resume, or took too much memory.")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
