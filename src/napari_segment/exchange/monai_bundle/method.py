"""The method `monai_bundle`: segmentation with a bundle of MONAI."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.deep.device import PredictionPrecision, TileBatch
from napari_segment.deep.inference.options import Options, Overlap
from napari_segment.errors import InputError
from napari_segment.exchange.monai_bundle.bundle import Bundle, open_bundle
from napari_segment.exchange.monai_bundle.prediction import predict_bundle
from napari_segment.image.units import length_factor
from napari_segment.registry import Result, methods
from napari_segment.step import Step


@methods.add("monai_bundle", title="MONAI bundle", group="network", channels="many")
def monai_bundle(  # noqa: PLR0913 - settings, each with a name
    image: Array,
    spacing: Sequence[float] = (),
    unit: str = "",
    orientation: str = "",
    *,
    bundle: Path,
    overlap: Overlap | Literal["auto"] = "auto",
    batch: TileBatch = 1,
    device: str = "auto",
    precision: PredictionPrecision = "auto",
) -> Generator[Step, None, Result]:
    """Segment with a bundle of MONAI [1]_.

    The bundle's configuration is read as data: its network and its preprocessing must be on a list
    of MONAI's own, with plain arguments; expressions and code of the bundle are never run, and of
    the weights tensors alone are read. The preprocessed image goes through the network in the
    tiles of the bundle's sliding window, and the activated outputs are brought back onto the
    image's voxels, slab by slab. A 2-D bundle segments a stack plane by plane.

    Parameters
    ----------
    image : array (C, *S) or (*S)
        With the network's number of channels.
    spacing : sequence of float
        Distance between voxels along each spatial axis.
    unit : str
        Unit of the spacing. Where it is no length, the image is not resampled; a Step and a
        warning say so.
    orientation : str
        Anatomical direction of each spatial axis, such as "SAR". Where it is not known, the image
        is not turned; a Step and a warning say so.
    bundle : Path
        Folder with ``configs/metadata.json``, ``configs/inference.json`` (or ``.yaml``) and
        ``models/model.pt``, its zip file, or the name of a model of this machine.
    overlap : float or "auto"
        Fraction of a tile shared with its neighbour along each axis. "auto" takes the bundle's.
    device : str
        Such as "cpu", "cuda" or "mps"; "auto" takes the first accelerator, else the CPU. Several,
        such as "cuda:0,cuda:1", share the tiles.

    Returns
    -------
    Result
        Classes ``(*S)`` with the names of ``metadata.json``, or a mask where there is one output.

    References
    ----------
    .. [1] Cardoso MJ et al. (2022) MONAI: an open-source framework for deep learning in
       healthcare. arXiv. https://doi.org/10.48550/arXiv.2211.02701
    """
    opened = open_bundle(bundle)
    image = image[None] if len(image.shape) == (len(spacing) or opened.ndim) else image
    _check(opened, image)
    steps = tuple(spacing) or (1.0,) * (len(image.shape) - 1)
    opened, steps, notes = _fitted(opened, steps, unit, orientation)
    for note in notes:
        warnings.warn(note, stacklevel=2)
        yield Step(0, 0, note)
    options = Options(device=device, batch=batch, precision=precision)
    wanted = None if overlap == "auto" else overlap
    if len(image.shape) - 1 == opened.ndim:
        labels = yield from predict_bundle(opened, image, steps, orientation, options, wanted)
    else:
        labels = yield from _planes(opened, image, steps, options, wanted)
    return _result(opened, labels)


def _planes(
    bundle: Bundle, image: Array, spacing: tuple[float, ...], options: Options,
    overlap: float | None,
) -> Generator[Step, None, NDArray[Any]]:  # fmt: skip
    """Segment a stack plane by plane, each preprocessed by itself."""
    labels = []
    for z in range(image.shape[1]):
        yield Step(z, image.shape[1], f"plane {z + 1}")
        part = yield from predict_bundle(bundle, image[:, z], spacing[1:], "", options, overlap)
        labels.append(part)
    return np.stack(labels)


def _check(bundle: Bundle, image: Array) -> None:
    channels, dimensions = int(image.shape[0]), len(image.shape) - 1
    if channels != bundle.channels_in:
        raise InputError(
            f"{bundle.title} takes {bundle.channels_in} channel(s), but the image has {channels}. "
            "Choose as many with the filter 'channels'."
        )
    if dimensions < bundle.ndim:
        raise InputError(
            f"{bundle.title} takes volumes, but the image is {dimensions}-D. Give a stack with a Z "
            "axis, and apply_to='auto'."
        )


def _fitted(
    bundle: Bundle, spacing: tuple[float, ...], unit: str, orientation: str
) -> tuple[Bundle, tuple[float, ...], list[str]]:
    """Return the bundle without what the image does not allow, the spacing in mm, and notes."""
    notes = []
    factor = 1.0 if unit == "" else length_factor(unit, "millimeter")
    left_out = set()
    asked = {step.name for step in bundle.transforms}
    if factor is None:
        left_out.add("Spacing")
        if "Spacing" in asked:
            notes.append(
                f"The image is not resampled: its spacing is in {unit}, that of the bundle in "
                "millimeters. Give the image its spacing and unit."
            )
    if len(orientation) != 3 or bundle.ndim != 3:
        left_out.add("Orientation")
        if "Orientation" in asked and bundle.ndim == 3:
            notes.append(
                "The image is not turned as the bundle asks: its orientation is not known. Use a "
                "medical format that says it, such as NIfTI, or turn the image."
            )
    if bundle.output.left_out:
        listed = ", ".join(bundle.output.left_out)
        notes.append(f"Steps of the bundle after the network that are not run: {listed}.")
    remaining = tuple(step for step in bundle.transforms if step.name not in left_out)
    return replace(bundle, transforms=remaining), tuple(s * (factor or 1.0) for s in spacing), notes


def _result(bundle: Bundle, labels: NDArray[Any]) -> Result:
    names, count = bundle.channels, int(bundle.network.arguments.get("out_channels", 0))
    if bundle.output.argmax and count != 1:
        named = dict(enumerate(names[1:], start=1))
        return Result(labels, "classes", named)
    if max(count, len(names) if count == 0 else count) <= 1:
        return Result(labels.astype(bool), "mask", {})
    return Result(labels, "classes", dict(enumerate(names, start=1)))
