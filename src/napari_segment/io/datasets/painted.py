"""Labels stored as pictures: numbers, palettes or colours, turned into ours when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError
from napari_segment.image import Holds, Labels
from napari_segment.io.formats import raster

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Painted:
    """One picture of labels.

    Parameters
    ----------
    path : Path
        A PNG file.
    colours : mapping of colour to int
        What the colours of a colour picture stand for.
    numbers : mapping of int to int
        What the numbers of a grey or palette picture become; others stay.
    holds : {"classes", "objects"}
        What the labels mean.
    """

    path: Path
    colours: Mapping[Colour, int]
    numbers: Mapping[int, int]
    holds: Holds = "classes"

    def __call__(self) -> Labels:
        """Read the picture."""
        picture = raster.read(self.path) if not self.numbered() else raster.read_indices(self.path)
        data = (
            self._of_colours(picture.data)
            if "C" in picture.axes
            else self._of_numbers(picture.data)
        )
        return Labels(data, "YX", holds=self.holds)

    def numbered(self) -> bool:
        """Return whether the picture holds numbers, plainly or through a palette."""
        from PIL import Image as Picture

        with Picture.open(self.path) as picture:
            return picture.mode not in ("RGB", "RGBA")

    def _of_numbers(self, data: NDArray[Any]) -> NDArray[np.int32]:
        values, inverse = np.unique(data, return_inverse=True)
        ours = np.array([self.numbers.get(int(v), int(v)) for v in values], np.int32)
        return ours[inverse].reshape(data.shape)

    def _of_colours(self, data: NDArray[Any]) -> NDArray[np.int32]:
        flat, inverse = np.unique(data[..., :3].reshape(-1, 3), axis=0, return_inverse=True)
        unknown = [tuple(map(int, c)) for c in flat if tuple(map(int, c)) not in self.colours]
        if unknown:
            raise FormatError(
                f"{self.path.name} has the colour {unknown[0]}, which stands for no class."
            )
        ours = np.array([self.colours[int(r), int(g), int(b)] for r, g, b in flat], np.int32)
        return ours[inverse].reshape(data.shape[:2])
