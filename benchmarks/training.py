"""Train on real data and say how good and how fast: the figures of docs/training.md.

    python benchmarks/training.py hippocampus --minutes 15
    python benchmarks/training.py hippocampus --minutes 10 --model unet
    python benchmarks/training.py dsb2018 --minutes 20
    python benchmarks/training.py overhead
    python benchmarks/training.py throughput
    python benchmarks/training.py start

The data are those of NAPARI_SEGMENT_DATA. Scores are of the cases that were not trained on, every
fifth by sorted name, on whole images, from the checkpoint's folder through `segment`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

DATA = Path(os.environ.get("NAPARI_SEGMENT_DATA", "../shared/data"))


def quality(name: str, minutes: float, model: str) -> None:
    """Train, segment the validation cases, compare; print the mean scores."""
    from napari_segment import compare, segment
    from napari_segment.deep.training import train
    from napari_segment.io.datasets.pairs import Pairs

    pairs = Pairs.of((DATA / name / "images", DATA / name / "labels"))
    settings = {"model": model} if model else {}
    with TemporaryDirectory() as folder:
        begun = time.monotonic()
        for step in train(pairs, out=Path(folder) / "run", minutes=minutes, **settings):
            if "dice" in step.numbers:
                print(f"{time.monotonic() - begun:7.0f} s  {step.message}", flush=True)
        took = (time.monotonic() - begun) / 60
        chosen = set(sorted(case.name for case in pairs)[4::5])
        scores = []
        for case in pairs:
            if case.name in chosen:
                image, reference = pairs.read(case)
                labels = segment(image, "network", checkpoint=str(Path(folder) / "run"))
                scores.append(compare(labels, reference).summary)
    names = [k for k in scores[0] if all(k in s for s in scores)]
    means = {k: round(float(np.nanmean([s[k] for s in scores])), 4) for k in names}
    print(json.dumps({"data": name, "minutes": round(took, 1), "cases": len(scores), **means}))


def overhead(steps: int, model: str) -> None:
    """Time of a step, and of the network's own part of it, in one training.

    The network's part is forward, loss, backward and the optimiser. "Around it" is what the loop
    waits for besides; the last number adds how much slower the network is for the threads that
    prepare patches meanwhile, measured against the same updates on one batch in memory.
    """
    from napari_segment.deep.training.learner_torch import Learner

    inside: list[float] = []
    captured: list[Any] = []
    original = Learner.parted_update

    def timed(self: Learner, batch: Any) -> float:
        captured[:] = [self, batch]
        begun = time.perf_counter()
        value = original(self, batch)
        inside.append(time.perf_counter() - begun)
        return value

    Learner.parted_update = timed  # type: ignore[method-assign]
    with TemporaryDirectory() as out:
        work = _steps_of(out, model)
        ends = [time.perf_counter() for _ in islice(work, steps + 1)]
        work.close()
    learner, batch = captured
    alone = []
    for _ in range(20):
        begun = time.perf_counter()
        original(learner, batch)
        alone.append(time.perf_counter() - begun)
    whole, network = np.diff(ends)[10:], np.array(inside[11 : steps + 1])
    bare = float(np.median(alone[5:]))
    print(
        f"step {np.median(whole) * 1e3:.0f} ms, network {np.median(network) * 1e3:.0f} ms "
        f"(alone {bare * 1e3:.0f} ms), around it {1 - network.sum() / whole.sum():.1%}, "
        f"with what the loader takes from it {1 - bare / np.median(whole):.1%}"
    )


def _steps_of(out: str, model: str) -> Iterator[float]:
    """The losses of a training on the hippocampus data, as they come."""
    from napari_segment.deep.training import train

    folder = DATA / "hippocampus"
    settings = {"model": model} if model else {}
    pairs = folder / "images", folder / "labels"
    work = train(pairs, out=Path(out) / "run", overwrite=True, epochs=100, **settings)
    try:
        for step in work:
            if "loss" in step.numbers and "epoch" not in step.numbers:
                yield step.numbers["loss"]
    finally:
        work.close()


def throughput(steps: int, model: str, workers: int) -> None:
    """Compare steps a second with MONAI's tutorial recipe: same network, patch and changes.

    MONAI's turns come once in this training's number type and once in float32, as its tutorials
    have it.
    """
    import monai_recipe
    import torch

    from napari_segment.deep.checkpoint import Checkpoint
    from napari_segment.deep.training.learner_torch import Learner

    made: list[Learner] = []
    original = Learner.__init__

    def initialise(self: Learner, blank: Checkpoint, *rest: Any) -> None:
        original(self, blank, *rest)
        made.append(self)

    Learner.__init__ = initialise  # type: ignore[method-assign, assignment]
    images = sorted((DATA / "hippocampus/images").glob("*.nii*"))
    files = [{"image": str(p), "label": str(DATA / "hippocampus/labels" / p.name)} for p in images]
    with TemporaryDirectory() as out:
        runs = {"ours": _steps_of(out, model)}
        next(runs["ours"])
        learner = made[0]
        for name, dtype in (("monai", learner.dtype), ("monai float32", torch.float32)):
            runs[name] = monai_recipe.steps(
                files, learner._fresh(0), learner.plan.patch, learner.plan.batch,  # noqa: SLF001
                dtype=dtype, workers=workers,
            )  # fmt: skip
        rates = {name: [] for name in runs}
        for _ in range(3):
            for name, run in runs.items():
                rates[name].append(_rate(run, steps))
        for run in runs.values():
            run.close()
    best = {name: max(values) for name, values in rates.items()}
    for name, rate in best.items():
        print(f"{name}: {rate:.2f} updates a second, ours {best['ours'] / rate:.2f} times as many")


def _rate(run: Iterator[float], steps: int) -> float:
    """Updates a second, without those whose batches were prepared while others had their turn."""
    for _ in range(6):
        next(run)
    begun = time.perf_counter()
    for _ in range(steps):
        next(run)
    return steps / (time.perf_counter() - begun)


def start() -> None:
    """Seconds from the command to the first update, in a process of its own."""
    with TemporaryDirectory() as out:
        script = (
            "from napari_segment.deep.training import train\n"
            f"for step in train(({str(DATA / 'hippocampus/images')!r}, "
            f"{str(DATA / 'hippocampus/labels')!r}), out={out!r}, overwrite=True, epochs=1):\n"
            "    if 'loss' in step.numbers: break\n"
        )
        begun = time.monotonic()
        subprocess.run([sys.executable, "-c", script], check=True)
        print(f"first update after {time.monotonic() - begun:.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    choices = ["hippocampus", "dsb2018", "overhead", "throughput", "start"]
    parser.add_argument("what", choices=choices)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--model", default="")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--workers", type=int, default=1, help="of MONAI's loader")
    given = parser.parse_args()
    if given.what == "overhead":
        overhead(given.steps, given.model)
    elif given.what == "throughput":
        throughput(given.steps, given.model, given.workers)
    elif given.what == "start":
        start()
    else:
        quality(given.what, given.minutes, given.model)


if __name__ == "__main__":
    main()
