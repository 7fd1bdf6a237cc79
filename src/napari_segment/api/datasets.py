"""Data sets of images with their labels: check them, and write them in another layout."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

from napari_segment.step import Step, run

if TYPE_CHECKING:
    from napari_segment.api.types import PairsLike
    from napari_segment.io.datasets.check import Finding


def check_steps(pairs: PairsLike) -> Generator[Step, None, list[Finding]]:
    """Check a data set case by case; the parameters are those of `check`."""
    from napari_segment.io.datasets.check import check_pairs
    from napari_segment.io.datasets.pairs import Pairs

    return (yield from check_pairs(Pairs.of(pairs)))


def check(pairs: PairsLike) -> list[Finding]:
    """Check a data set before it is trained on.

    Every case is read once: pairing, axes, shapes, values, labels, spacing, orientation, classes
    and duplicates.

    Parameters
    ----------
    pairs : Pairs, path, (folder, folder), or sequence of (image, labels)
        As of `train`.

    Returns
    -------
    list of Finding
        With ``kind``, ``severity`` ("error", "warning" or "note"), ``message`` and ``cases``;
        errors first.
    """
    return run(check_steps(pairs))


def convert_pairs_steps(
    pairs: PairsLike, folder: str | Path, *, layout: str = "folders", suffix: str = ""
) -> Generator[Step, None, Path]:
    """Write a data set case by case; the parameters are those of `convert_pairs`."""
    from napari_segment.io.datasets.pairs import Pairs
    from napari_segment.io.datasets.writers import write_pairs

    return (yield from write_pairs(Pairs.of(pairs), Path(folder), layout, suffix))


def convert_pairs(
    pairs: PairsLike, folder: str | Path, *, layout: str = "folders", suffix: str = ""
) -> Path:
    """Write a data set in another layout.

    Parameters
    ----------
    pairs : Pairs, path, (folder, folder), or sequence of (image, labels)
        As of `train`.
    folder : str or Path
        New, or empty.
    layout : str
        "folders", "decathlon", "coco", "coco_panoptic", "yolo", "voc", "dsb2018",
        "cell_tracking", "nested_cases" or "omezarr".
    suffix : str
        The format of the images, such as ".nii.gz"; "" for the usual one of the layout.

    Returns
    -------
    Path
        The folder.
    """
    return run(convert_pairs_steps(pairs, folder, layout=layout, suffix=suffix))
