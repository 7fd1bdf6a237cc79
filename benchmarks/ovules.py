"""Train on one stack of plant ovules, find the cells of another: the figures of docs/instances.md.

    python benchmarks/ovules.py 3d --minutes 15
    python benchmarks/ovules.py 2d --minutes 15
    python benchmarks/ovules.py 2d --minutes 15 --target distance

"3d": a 3-D network and the watershed of its maps. "2d": a 2-D network that sees neighbouring
planes, whose objects are linked from plane to plane. Trained is on stack 1135, scored on stack 1136
of NAPARI_SEGMENT_DATA; every other setting is the default.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from napari_segment import compare, read, segment, train
from napari_segment.io import read_labels
from napari_segment.step import run

DATA = Path(os.environ.get("NAPARI_SEGMENT_DATA", "../shared/data")) / "ovules"


def files(stack: int) -> tuple[Path, Path]:
    return DATA / f"{stack}_mini_raw.tif", DATA / f"{stack}_mini_label.tif"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("way", choices=["3d", "2d"])
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--target", default="seeds")
    parser.add_argument("--slices", type=int, default=3, help="planes that a 2-D network sees")
    given = parser.parse_args()
    settings: dict[str, Any] = {"minutes": given.minutes, "target": given.target}
    if given.way == "2d":
        settings |= {"ndim": "2", "slices": given.slices}
    with TemporaryDirectory() as folder:
        run(train([files(1135)], out=Path(folder) / "run", task="objects", **settings))
        for stack in (1135, 1136):
            report(given.way, stack, Path(folder) / "run")


def report(way: str, stack: int, checkpoint: Path) -> None:
    """Segment a stack and print its scores; 1135 was trained on."""
    image, labels = files(stack)
    cleanups = ["link_planes"] if way == "2d" else []
    found = segment(read(image), "network", checkpoint=str(checkpoint), cleanups=cleanups)
    scores = compare(found, read_labels(labels)).objects
    print(
        f"{way} on {stack}: AP at IoU 0.5 {scores.ap_at(0.5):.3f}, F1 {scores.f1_at(0.5):.3f}, "
        f"mean AP {scores.average_precision:.3f}, {scores.found} found of {scores.expected}",
        flush=True,
    )


if __name__ == "__main__":
    main()
