"""Draw the picture of geometry.md: what `align` makes of labels stored in four orientations.

Run with the file to write::

    python docs/geometry.py docs/pictures/geometry.svg
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np

from napari_segment.errors import AlignmentWarning, GeometryError
from napari_segment.image import Image, Labels, align

CELL = 13  # of a voxel of the image, in units of the picture
LEFT, TOP, STEP = 30, 74, 186
SHAPE = np.array([list(row) for row in ("......", ".####.", ".#....", ".###..", ".#....", ".#....",
                                        "......")]) == "#"  # fmt: skip
INK, GRID, FILL, SAID = "#222222", "#bbbbbb", "#4477aa", "#aa3377"


def text(x: float, y: float, line: str, *, size: int = 12, colour: str = INK) -> str:
    """Draw one line of text around a point."""
    style = f'font-size="{size}" fill="{colour}" text-anchor="middle"'
    return f'<text x="{x:g}" y="{y:g}" {style}>{line}</text>'


def voxels(stack: Labels, x: float, y: float) -> list[str]:
    """Draw the voxels of a plane where its affine says, and its first axis as an arrow."""
    world = stack.world() * CELL
    parts = []
    for index in np.ndindex(stack.shape):
        corners = np.array([[0, 0], [0, 1], [1, 1], [1, 0]]) - 0.5 + index
        points = corners @ world[:2, :2].T + world[:2, 2] + (y, x)
        path = " ".join(f"{column:.1f},{row:.1f}" for row, column in points)
        fill = FILL if stack.data[index] else "white"
        parts.append(f'<polygon points="{path}" fill="{fill}" stroke="{GRID}"/>')
    row, column = world[:2, 2] + (y, x)
    parts.append(f'<circle cx="{column:.1f}" cy="{row:.1f}" r="4" fill="{SAID}"/>')
    return parts


def in_four_orientations() -> dict[str, Labels]:
    """The same labels with other axes, on a finer turned grid, and far away."""
    whole = Labels(SHAPE.astype(np.uint8), "YX", affine=np.eye(3))
    flipped = Labels(SHAPE[:, ::-1], "YX", affine=np.array([[1, 0, 0], [0, -1, 5], [0, 0, 1.0]]))
    transposed = Labels(SHAPE[::-1].T, "YX", affine=np.array([[0, -1, 6], [1, 0, 0], [0, 0, 1.0]]))
    angle = np.deg2rad(15)
    turn = 0.6 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    affine = np.eye(3)
    affine[:2, :2], affine[:2, 2] = turn, (3, 2.5) - turn @ (5.5, 5)
    grid = Image(np.zeros((12, 11)), "YX", affine=affine)
    far = whole.replace(affine=np.array([[1, 0, 500.0], [0, 1, 0], [0, 0, 1]]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AlignmentWarning)
        other = align(whole, grid)
    return {
        "mirrored": flipped, "transposed": transposed, "another grid": other, "500 mm away": far
    }  # fmt: skip


def aligned(labels: Labels, image: Image) -> tuple[Labels | None, str]:
    """The labels on the image's grid, and what is said of it."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            result = align(labels, image)
        except GeometryError:
            return None, "refused: no overlap"
    return result, "resampled, with a warning" if said else "turned exactly"


def picture() -> str:
    """The whole picture: above as the file stores its voxels, below on the grid of the image."""
    image = Image(np.zeros(SHAPE.shape), "YX", affine=np.eye(3))
    parts: list[str] = []
    for number, (name, labels) in enumerate(in_four_orientations().items()):
        x, middle = LEFT + number * STEP, LEFT + number * STEP + 2.5 * CELL
        array = labels.replace(affine=np.eye(3)) if labels.spacing[0] == 1 else labels
        parts += [text(middle, 22, name, size=14), text(middle, 42, "as it is stored", size=11)]
        parts += voxels(array, x, TOP)
        result, said = aligned(labels, image)
        parts.append(text(middle, 214, said, colour=SAID))
        if result is None:
            parts.append(text(middle, 298, "✗", size=48, colour=SAID))
        else:
            parts += voxels(result, x, 244)
    width, height = LEFT + 4 * STEP - 60, 346
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-30 0 {width} {height}"'
    style = f'width="{width}" height="{height}" font-family="sans-serif"'
    ground = f'<rect x="-30" width="{width}" height="{height}" fill="white"/>'
    return "\n".join([f"{head} {style}>", ground, *parts, "</svg>", ""])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(picture(), "utf-8")
