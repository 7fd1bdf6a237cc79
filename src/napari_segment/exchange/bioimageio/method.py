"""The method `bioimageio`: segmentation with models of the BioImage.IO zoo."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.deep.inference import Slab, predict
from napari_segment.deep.inference.options import OnnxDevice, Overlap
from napari_segment.errors import InputError, SettingError
from napari_segment.exchange.axes import AxesAdapter
from napari_segment.exchange.bioimageio.own import check_spacing, checkpoint_of, decoded
from napari_segment.exchange.bioimageio.package import Package, open_package
from napari_segment.exchange.bioimageio.processing import Change, fitted
from napari_segment.exchange.onnx.session import load_onnx
from napari_segment.registry import Result, methods
from napari_segment.step import Step


@methods.add("bioimageio", title="BioImage.IO model", group="network", channels="many")
def bioimageio(
    image: Array,
    spacing: Sequence[float] = (),
    unit: str = "",
    *,
    package: Path,
    output_channel: Annotated[int, Field(ge=0)] | Literal["auto"] = "auto",
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5,
    overlap: Overlap = 0.25,
    device: OnnxDevice = "cpu",
) -> Generator[Step, None, Result]:
    """Segment with a model of the BioImage.IO zoo [1]_ that has ONNX weights.

    The image is preprocessed as the model's description says (with statistics of the whole image),
    ONNX Runtime runs the model on overlapping tiles (of at least the overlap that the model's
    halo needs), and the blended outputs are postprocessed. A 2-D model segments a stack plane by
    plane.

    Parameters
    ----------
    image : array (C, *S) or (*S)
        With the model's number of channels.
    spacing : sequence of float
        Distance between voxels along each spatial axis. Only its length is used, but for packages
        that were published from a network trained here, which know their own.
    unit : str
        Unit of the spacing.
    package : Path
        Folder of the model, its ``bioimageio.yaml``, or the downloaded zip file; or the name of a
        model of this machine.
    output_channel : int or "auto"
        Output channel whose values are compared with the threshold. "auto" takes the only one, or
        of several channels the index of the largest as the class (0 is background).
    threshold : float
        Smallest value of the output channel in the mask.

    Returns
    -------
    Result
        Labels ``(*S)``: a mask, or classes.

    References
    ----------
    .. [1] Ouyang W et al. (2022) BioImage Model Zoo. bioRxiv.
       https://doi.org/10.1101/2022.06.07.495102
    """
    model = open_package(package)
    image = image[None] if len(image.shape) == (len(spacing) or len(model.spatial)) else image
    own = checkpoint_of(model) if output_channel == "auto" else None
    if own is not None:
        check_spacing(own, spacing, unit)
        values = yield from outputs_of(model, image, overlap=overlap, device=device)
        return decoded(own, values, threshold, stacked=values.ndim - 1 > own.ndim)
    decode = partial(_labels, channel=output_channel, threshold=threshold)
    labels = yield from outputs_of(model, image, overlap=overlap, device=device, decode=decode)
    if output_channel != "auto" or len(model.channels) <= 1:
        return Result(labels.astype(bool), "mask", {})
    return Result(labels, "classes", dict(enumerate(model.channels[1:], start=1)))


def outputs_of(
    model: Package,
    image: Array,
    *,
    tile: Sequence[int] = (),
    overlap: float = 0.25,
    device: str = "cpu",
    decode: Callable[[NDArray[np.float32]], NDArray[Any]] | None = None,
) -> Generator[Step, None, NDArray[Any]]:
    """Run a model over an image of any size.

    Parameters
    ----------
    model : Package
        See `open_package`.
    image : array (C, *S)
        NumPy or Dask.
    tile : sequence of int
        Sizes that the model allows, spatial axes; empty for the allowed size near 512² or 128³.
    overlap : float
        Fraction of a tile shared with its neighbour.
    device : str
        "cpu", or "cuda".
    decode : callable, optional
        From a part of the finished outputs ``(K, *part)`` to the values to return.

    Returns
    -------
    array (K, *S), or of the decoded values
    """
    _check(model, image)
    tile = tuple(tile) or model.tile(image.shape[1:])
    prepare = fitted(model.preprocessing, image)
    finish = fitted(model.postprocessing)
    result: NDArray[Any] = yield from predict(
        _network(model, device), image, tile=tile, overlap=model.overlap(tile, overlap),
        device=device, prepare=prepare, decode=partial(_decode_slab, finish=finish, decode=decode),
    )  # fmt: skip
    return result


def _check(model: Package, image: Array) -> None:
    channels = next((s.size for s in model.input_axes if s.letter == "c"), 1)
    if channels and image.shape[0] != channels:
        raise InputError(
            f"{model.name} takes {channels} channel(s), but the image has {image.shape[0]}. Choose "
            "as many with the filter 'channels'."
        )
    if image.ndim - 1 < len(model.spatial):
        raise InputError(f"{model.name} takes volumes, but the image is {image.ndim - 1}-D.")


def _decode_slab(
    slab: Slab, finish: Change, decode: Callable[[NDArray[np.float32]], NDArray[Any]] | None
) -> NDArray[Any]:
    values = finish(slab.mean().cpu().numpy())
    return values if decode is None else np.asarray(decode(values))


def _labels(
    values: NDArray[np.float32], channel: int | Literal["auto"], threshold: float
) -> NDArray[np.uint8]:
    if channel == "auto" and len(values) > 1:
        return np.asarray(values.argmax(0), np.uint8)
    index = 0 if channel == "auto" else channel
    if index >= len(values):
        raise SettingError(f"There is no output channel {index}: the model has {len(values)}.")
    return np.asarray(values[index] > threshold, np.uint8)


def _network(model: Package, device: str) -> AxesAdapter:
    """Return the model's network with axes in the order (B, C, *S) to (B, K, *S)."""
    input_axes = "".join(side.letter for side in model.input_axes)
    output_axes = "".join(side.letter for side in model.output_axes)
    return AxesAdapter(load_onnx(model.weights, device), input_axes, output_axes)
