"""Print how well thresholds and split_touching find the nuclei of DSB 2018.

    NAPARI_SEGMENT_DATA=../shared/data python benchmarks/nuclei.py

For each threshold: the mean over all images of Dice, F1 and AP at IoU 0.5, and of the mean AP over
IoU 0.5 to 0.95, of the mask's components and after splitting. Images are smoothed by a Gaussian of
one pixel first, and objects below 20 pixels removed.
"""

from __future__ import annotations

import os
from pathlib import Path

from skimage.io import imread

from napari_segment.image import Labels
from napari_segment.registry import cleanups, filters, methods
from napari_segment.results.compare import Scores, aggregate, compare

DATA = Path(os.environ.get("NAPARI_SEGMENT_DATA", "../shared/data")) / "dsb2018"
METHODS = ("otsu", "isodata", "li", "yen", "triangle", "mean", "minimum", "kittler_illingworth")


def main() -> None:
    print(
        "| threshold | Dice | F1 | AP 0.5 | mean AP | F1, split | AP 0.5, split | mean AP, split |"
    )
    print("|---|---|---|---|---|---|---|---|")
    paths = sorted(DATA.glob("images/*.png"))
    for name in METHODS:
        whole, split = zip(*(scores(path, name) for path in paths), strict=True)
        a, b = aggregate(whole).mean, aggregate(split).mean
        keys = ("f1", "ap50", "average_precision")
        values = [a["mean_dice"], *(s[k] for s in (a, b) for k in keys)]
        print(f"| {name} | " + " | ".join(f"{v:.3f}" for v in values) + " |", flush=True)


def scores(path: Path, name: str) -> tuple[Scores, Scores]:
    """Of the components, and of the split components."""
    image = imread(path)
    image = image[..., :3].mean(-1) if image.ndim == 3 else image
    reference = Labels(imread(DATA / "labels" / path.name))
    mask = methods[name](filters["gaussian"](image, sigma=1.0))
    both = []
    for cleanup in ("connected_components", "split_touching"):
        objects = cleanups[cleanup](mask)
        objects = cleanups["remove_small"].function(objects, holds="objects", min_size=20)
        both.append(compare(objects, reference))
    return both[0], both[1]


if __name__ == "__main__":
    main()
