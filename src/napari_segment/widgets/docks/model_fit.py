"""What of an image does not fit a trained network, in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_segment.errors import SegmentError
from napari_segment.image import Image
from napari_segment.image.units import length_factor

if TYPE_CHECKING:
    from napari_segment.deep.checkpoint import Checkpoint

FAR = 4.0  # from this ratio of voxel sizes on, objects are too small or too large to be known


def misfits_of(folder: Path, image: Image) -> list[str]:
    """Return what of an image does not fit the network in a folder; nothing if it cannot be read.

    Parameters
    ----------
    folder : Path
        A checkpoint, or the name of a model of this machine.
    image : Image
        What is to be segmented.
    """
    from napari_segment.deep.checkpoint import Checkpoint
    from napari_segment.io.models_folder import located

    try:
        return misfits(Checkpoint.load(located(folder)), image)
    except (SegmentError, OSError):
        return []


def misfits(network: Checkpoint, image: Image) -> list[str]:
    """Return a sentence for each thing of an image that the network does not expect."""
    from napari_segment.deep.inference.differences import order_of_channels

    sentences: list[str] = []
    count, expected = image.size("C") if "C" in image.axes else 1, len(network.channels)
    if count != expected:
        sentences.append(
            f"The network was trained on {expected} channel{'s' * (expected != 1)}, but the image "
            f"has {count}."
        )
    sentences += order_of_channels(network, image.channels)
    if network.ndim == 3 and "Z" not in image.axes:
        sentences.append("The network takes volumes, but the image is a plane.")
    ratio = _ratio(network, image)
    if ratio is not None and not 1 / FAR < ratio < FAR:
        size = "larger" if ratio > 1 else "smaller"
        sentences.append(
            f"The voxels of the image are {max(ratio, 1 / ratio):.0f} times {size} than those that "
            "the network was trained on. Is its voxel size right?"
        )
    return sentences


def _ratio(network: Checkpoint, image: Image) -> float | None:
    """Return the image's voxel size over that of the training; None where either is unknown."""
    if not network.spacing or "pixel" in (network.unit, image.unit):
        return None
    factor = length_factor(image.unit, network.unit)
    if factor is None:
        return None
    return float(image.spacing[-1] * factor / network.spacing[-1])
