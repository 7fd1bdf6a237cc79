"""How the files of a batch are read: what is large stays on disk."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from napari_segment.blocks.memory import free_memory
from napari_segment.image import Holds, Image, Labels, Stack
from napari_segment.io.reports import Incomplete

S = TypeVar("S", bound=Stack)

LARGE = 0.2  # of the free memory: a larger input stays on disk and runs block by block
SMALL = 1 << 21  # bytes of a file that is read at once, without asking how large its image is


@dataclass(frozen=True)
class Reading:
    """What is said of the files that are read, the same for all.

    Parameters
    ----------
    axes : str
        Axis letters, which win over what a file says.
    series : int or str
        Which image of a file of several.
    incomplete : {"refuse", "allow"}
        What is done with a file of which a part is missing.
    spacing : tuple of float
        Of each spatial axis; () for that of the file.
    unit : str
        Of the spacing; "" for that of the file.
    lazy : bool
        Whether all stay on disk; else only those that are large for the free memory.
    holds : {"mask", "classes", "objects"}
        What labels mean where their file does not say.
    """

    axes: str = ""
    series: int | str = ""
    incomplete: Incomplete = "refuse"
    spacing: tuple[float, ...] = ()
    unit: str = ""
    lazy: bool = False
    holds: Holds = "objects"

    def image(self, path: str | Path) -> Image:
        """Read an image."""
        from napari_segment.io import read

        return self._read(path, partial(read, axes=self.axes.upper()))

    def labels(self, path: str | Path) -> Labels:
        """Read labels, whose axes are those of an image without its channels."""
        from napari_segment.io import read_labels

        axes = self.axes.upper().replace("C", "")
        return self._read(path, partial(read_labels, axes=axes, holds=self.holds))

    def _read(self, path: str | Path, read: Callable[..., S]) -> S:
        read = partial(read, path, series=self.series, incomplete=self.incomplete)
        stack = read(lazy=self.lazy or not _is_small(Path(path)))
        if stack.is_lazy and not self.lazy and _fits(stack):
            stack = read(lazy=False)
        if self.spacing:
            stack = stack.replace(spacing=self.spacing, affine=None)
        return stack.replace(unit=self.unit) if self.unit else stack


def _is_small(path: Path) -> bool:
    return path.is_file() and path.stat().st_size <= SMALL


def _fits(image: Stack) -> bool:
    """Whether an image leaves room in memory for what is made of it."""
    return image.dtype.itemsize * math.prod(image.shape) < LARGE * free_memory()
