"""Train on one stack of plant ovules, find the cells of another: the figures of docs/instances.md.

    python benchmarks/ovules.py 3d --minutes 10
    python benchmarks/ovules.py 2d --minutes 10

"3d": a 3-D network and the watershed of its maps. "2d": a 2-D network that sees neighbouring
planes; scored are its objects of planes, linked from plane to plane, and the watershed of the
volume that its maps make. Trained is on stack 1135, scored on stack 1136 of NAPARI_SEGMENT_DATA;
every other setting is the default. Objects of less than 2 µm³ are left out, as of the classical
recipes in ovules_classical.py.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from napari_segment import compare, read, segment, train
from napari_segment.io import read_labels
from napari_segment.recipe import Spec
from napari_segment.step import run

SIZE = Spec(name="remove_small", settings={"min_size": 2.0, "units": "physical"})
DATA = Path(os.environ.get("NAPARI_SEGMENT_DATA", "../shared/data")) / "ovules"


def files(stack: int) -> tuple[Path, Path]:
    return DATA / f"{stack}_mini_raw.tif", DATA / f"{stack}_mini_label.tif"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("way", choices=["3d", "2d"])
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--target", default="distance")
    parser.add_argument("--augment", default="standard")
    parser.add_argument("--slices", type=int, default=3, help="planes that a 2-D network sees")
    given = parser.parse_args()
    settings: dict[str, Any] = {k: getattr(given, k) for k in ("minutes", "target", "augment")}
    if given.way == "2d":
        settings |= {"ndim": "2", "slices": given.slices}
    with TemporaryDirectory() as folder:
        run(train([files(1135)], out=Path(folder) / "run", task="objects", **settings))
        for stack in (1135, 1136):
            for flips in (False, True):
                report(
                    given.way,
                    stack,
                    checkpoint=str(Path(folder) / "run"),
                    test_time_augmentation=flips,
                )


def report(way: str, stack: int, **settings: Any) -> None:
    """Segment a stack and print its scores; 1135 was trained on."""
    image, labels = (read(files(stack)[0]), read_labels(files(stack)[1]))
    variants: dict[str, tuple[dict[str, str], list[Spec]]] = {f"{way}, watershed": ({}, [SIZE])}
    if way == "2d":
        variants = {
            "2d, linked": ({}, [Spec(name="link_planes"), SIZE]),
            "2d, watershed of the volume": ({"stack": "volume"}, [SIZE]),
        }
    for name, (more, cleanups) in variants.items():
        result = segment(image, "network", cleanups=cleanups, **settings, **more)
        scores = compare(result, labels).objects
        flipped = ", flips" if settings["test_time_augmentation"] else ""
        print(
            f"{name}{flipped} on {stack}: AP at IoU 0.5 {scores.ap_at(0.5):.3f}, "
            f"F1 {scores.f1_at(0.5):.3f}, mean AP {scores.average_precision:.3f}, "
            f"{scores.detected} found of {scores.expected}",
            flush=True,
        )


if __name__ == "__main__":
    main()
