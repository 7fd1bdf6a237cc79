"""Cover of a package: an image, and what the network finds in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE = 256  # pixels of each half


def draw_cover(
    run: Path, image: NDArray[np.float32], output: NDArray[np.float32], path: Path
) -> None:
    """Write a picture of two halves: the last preview of a training, else an image and its output.

    Parameters
    ----------
    run : Path
        The run folder, with or without ``previews``.
    image, output : ndarray (C, *S), (K, *S)
        What is shown where there are none.
    path : Path
        A PNG file.
    """
    from imagecodecs import png_decode, png_encode

    from napari_segment.results.picture import coloured, grey

    previews = sorted((run / "previews").glob("epoch_*.png"))
    if previews:
        strip = np.asarray(png_decode(previews[-1].read_bytes()))[..., :3]
        width = strip.shape[1] // 4  # image, reference, prediction, prediction over the image
        halves: list[NDArray[Any]] = [strip[:, :width], strip[:, 3 * width :]]
    else:
        middle = (0, image.shape[1] // 2) if image.ndim == 4 else (0,)
        labels = output.argmax(0) if len(output) > 1 else (output[0] > 0.5).astype(np.int64)
        halves = [grey(image[middle]), coloured(labels[middle[1:]])]
    picture = np.concatenate([_square(half) for half in halves], axis=1)
    path.write_bytes(bytes(png_encode(np.ascontiguousarray(picture))))


def _square(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """Take the nearest pixel of each position."""
    rows, columns = (np.arange(SIDE) * n // SIDE for n in picture.shape[:2])
    return np.asarray(picture[rows][:, columns], np.uint8)
