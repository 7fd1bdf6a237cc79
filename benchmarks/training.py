"""Train on real data and say how good and how fast: the figures of docs/training.md.

    python benchmarks/training.py hippocampus --minutes 15
    python benchmarks/training.py hippocampus --minutes 10 --model unet
    python benchmarks/training.py dsb2018 --minutes 20
    python benchmarks/training.py overhead
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
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

DATA = Path(os.environ.get("NAPARI_SEGMENT_DATA", "../shared/data"))


def quality(name: str, minutes: float, model: str) -> None:
    """Train, segment the validation cases, compare; print the mean scores."""
    from napari_segment import compare, segment
    from napari_segment.deep.train import train
    from napari_segment.io.pairs import Pairs

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


def overhead(steps: int = 60) -> None:
    """Time of a step, and of the network's own part of it, in one training."""
    from napari_segment.deep.train import train
    from napari_segment.deep.train._learner import Learner

    inside: list[float] = []
    original = Learner.parted_update

    def timed(self: Learner, batch: object) -> float:
        begun = time.perf_counter()
        value = original(self, batch)  # type: ignore[arg-type]
        inside.append(time.perf_counter() - begun)
        return value

    Learner.parted_update = timed  # type: ignore[method-assign, assignment]
    folder = DATA / "hippocampus"
    with TemporaryDirectory() as out:
        work = train((folder / "images", folder / "labels"), out=out, overwrite=True, epochs=2)
        ends = []
        for step in work:
            if "loss" in step.numbers:
                ends.append(time.perf_counter())
            if len(ends) > steps:
                break
        work.close()
    whole, network = np.diff(ends)[10:], np.array(inside[11 : steps + 1])
    around = 1 - network.sum() / whole.sum()
    print(
        f"step {np.median(whole) * 1e3:.0f} ms, network {np.median(network) * 1e3:.0f} ms, "
        f"around it {around:.1%} of the time"
    )


def start() -> None:
    """Seconds from the command to the first update, in a process of its own."""
    with TemporaryDirectory() as out:
        script = (
            "from napari_segment.deep.train import train\n"
            f"for step in train(({str(DATA / 'hippocampus/images')!r}, "
            f"{str(DATA / 'hippocampus/labels')!r}), out={out!r}, overwrite=True, epochs=1):\n"
            "    if 'loss' in step.numbers: break\n"
        )
        begun = time.monotonic()
        subprocess.run([sys.executable, "-c", script], check=True)
        print(f"first update after {time.monotonic() - begun:.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["hippocampus", "dsb2018", "overhead", "start"])
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--model", default="")
    given = parser.parse_args()
    if given.what == "overhead":
        overhead()
    elif given.what == "start":
        start()
    else:
        quality(given.what, given.minutes, given.model)


if __name__ == "__main__":
    main()
