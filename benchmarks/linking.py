"""Print how well planes of the ovules are linked into cells.

    NAPARI_SEGMENT_DATA=../shared/data python benchmarks/linking.py

The true cells are cut into planes along each axis, and each plane's pieces numbered anew; what is
lost by linking alone is the distance to 1.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from tifffile import imread

from napari_segment.blocks import label
from napari_segment.results.compare import compare
from napari_segment.results.link import consensus, link_along

DATA = Path(os.environ.get("NAPARI_SEGMENT_DATA", "../shared/data")) / "ovules"


def main() -> None:
    print("| stack | direction | cells | found | F1 at IoU 0.5 | mean AP |")
    print("|---|---|---|---|---|---|")
    for path in sorted(DATA.glob("*_label.tif")):
        truth = imread(path)
        linked = [link_along(pieces(truth, axis), axis) for axis in range(3)]
        for name, cells in zip("ZYX", linked, strict=True):
            show(path.stem, name, cells, truth)
        show(path.stem, "consensus", consensus(linked), truth)


def pieces(truth: np.ndarray, axis: int) -> np.ndarray:
    """The components of each plane, numbered plane by plane."""
    planes = [label(plane, 2)[0].astype(np.uint16) for plane in np.moveaxis(truth, axis, 0)]
    return np.stack(planes, axis)


def show(stack: str, direction: str, cells: np.ndarray, truth: np.ndarray) -> None:
    score = compare(cells, truth).objects
    print(
        f"| {stack} | {direction} | {score.expected} | {score.detected} | {score.f1_at(0.5):.3f} "
        f"| {score.average_precision:.3f} |"
    )


if __name__ == "__main__":
    main()
