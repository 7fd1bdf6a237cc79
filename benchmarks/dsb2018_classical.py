"""Score every threshold on the fluorescence nuclei of the 2018 Data Science Bowl.

    python benchmarks/dsb2018_classical.py              # all 135 images
    python benchmarks/dsb2018_classical.py --every 3

Each method with its default settings, then fill_holes, remove_small (30 voxels) and
split_touching. Prints a Markdown table of means over images, best first: the Dice of the mask, and
of the objects F1 and average precision TP / (TP + FP + FN) at IoU 0.5.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np

import napari_segment as ns
from napari_segment.registry import methods

CLEANUPS = ("fill_holes", ("remove_small", {"min_size": 30}), "split_touching")
GROUPS = ("global threshold", "local threshold", "clusters")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=1, help="take each n-th image")
    parser.add_argument("--only", default="", help="one method")
    chosen = parser.parse_args()
    names = [n for n, e in methods.items() if e.group in GROUPS and chosen.only in ("", n)]
    scores = {name: mean_scores(name, cases(chosen.every)) for name in names}
    print("| method | mask Dice | F1 | AP at IoU 0.5 |\n|---|---|---|---|")
    for name, (dice, f1, ap) in sorted(scores.items(), key=lambda pair: -pair[1][2]):
        print(f"| {name} | {dice:.3f} | {f1:.3f} | **{ap:.3f}** |")


def cases(every: int) -> list[tuple[Path, Path]]:
    root = Path(os.environ.get("NAPARI_SEGMENT_DATA") or "../shared/data") / "dsb2018"
    images = sorted((root / "images").glob("*.png"))[::every]
    return [(path, root / "labels" / path.name) for path in images]


def mean_scores(name: str, pairs: list[tuple[Path, Path]]) -> np.ndarray:
    """Mean Dice of the mask, F1 and AP of the objects."""
    settings = {"clusters": 2} if "clusters" in methods[name].settings.model_fields else {}
    settings |= {"classes": 2} if name == "multi_otsu" else {}
    scores = []
    for path, reference in pairs:
        result = ns.segment(ns.read(path), name, cleanups=CLEANUPS, **settings)
        summary = ns.compare(result, ns.read(reference)).summary
        scores.append([summary["mean_dice"], summary["f1"], summary["ap50"]])
    return np.mean(scores, axis=0)


if __name__ == "__main__":
    main()
