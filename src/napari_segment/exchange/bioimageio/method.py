"""The method `bioimageio`: models of the BioImage.IO zoo, in overlapping tiles."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.deep.inference import Slab, predict
from napari_segment.errors import InputError, SettingError
from napari_segment.exchange.bioimageio.package import Package, Side, open_package
from napari_segment.exchange.bioimageio.processing import Change, fitted
from napari_segment.io.changed import State, state_of
from napari_segment.registry import Result, methods
from napari_segment.step import Step

if TYPE_CHECKING:
    from torch import Tensor


@methods.add("bioimageio", title="BioImage.IO model", group="network", channels="many")
def bioimageio(
    image: Any,
    spacing: Sequence[float] = (),
    *,
    package: Path,
    output_channel: Annotated[int, Field(ge=0)] | Literal["auto"] = "auto",
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5,
    overlap: Annotated[float, Field(ge=0, lt=1)] = 0.25,
    device: str = "cpu",
) -> Generator[Step, None, Result]:
    """Segment with a model of the BioImage.IO zoo [1]_ that has ONNX weights.

    The image is prepared as the model's description says (with statistics of the whole image),
    goes through ONNX Runtime in overlapping tiles, and the blended outputs are finished as the
    description says. A 2-D model goes through a stack plane by plane.

    Parameters
    ----------
    image : array (C, *S) or (*S)
        As many channels as the model takes.
    spacing : sequence of float
        Only its length matters: which axes are spatial. Models say nothing of their spacing.
    package : Path
        The model's folder, its ``bioimageio.yaml``, or the zip file as downloaded.
    output_channel : int or "auto"
        The output channel whose values are compared with the threshold. "auto": the only one, or
        of several the channel with the largest value, counted from 0 for background.
    threshold : float
        From which value of one output channel a voxel belongs to the mask.
    overlap : float
        Part of a tile shared with its neighbour along each axis; more if the model's halo needs it.
    device : str
        "cpu", or "cuda" with onnxruntime-gpu.

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
    decode = partial(_labels, channel=output_channel, threshold=threshold)
    labels = yield from outputs_of(model, image, overlap=overlap, device=device, then=decode)
    if output_channel != "auto" or len(model.channels) <= 1:
        return Result(labels.astype(bool), "mask", {})
    return Result(labels, "classes", dict(enumerate(model.channels[1:], start=1)))


def outputs_of(
    model: Package,
    image: Any,
    *,
    tile: Sequence[int] = (),
    overlap: float = 0.25,
    device: str = "cpu",
    then: Any = None,
) -> Generator[Step, None, NDArray[Any]]:
    """Run a model over an image of any size.

    Parameters
    ----------
    model : Package
        See `open_package`.
    image : array (C, *S)
        NumPy or Dask.
    tile : sequence of int
        Sizes that the model allows, spatial axes; empty for 512² or 128³, or what is near.
    overlap : float
        Part of a tile shared with its neighbour.
    device : str
        "cpu", or "cuda".
    then : callable, optional
        From a part of the finished outputs ``(K, *part)`` to what is kept of it.

    Returns
    -------
    array (K, *S), or what `then` gives
    """
    _check(model, image)
    tile = tuple(tile) or model.tile(image.shape[1:])
    prepare = fitted(model.before, image)
    finish = fitted(model.after)
    result: NDArray[Any] = yield from predict(
        _Network(model, device), image, tile=tile, overlap=model.overlap(tile, overlap),
        device=device, prepare=prepare, decode=partial(_decoded, finish=finish, then=then),
    )  # fmt: skip
    return result


def _check(model: Package, image: Any) -> None:
    channels = next((s.size for s in model.given if s.letter == "c"), 1)
    if channels and image.shape[0] != channels:
        raise InputError(
            f"{model.name} takes {channels} channel(s), but the image has {image.shape[0]}."
        )
    if image.ndim - 1 < len(model.spatial):
        raise InputError(f"{model.name} takes volumes, but the image is {image.ndim - 1}-D.")


def _decoded(slab: Slab, finish: Change, then: Any) -> NDArray[Any]:
    values = finish(slab.mean().cpu().numpy())
    return values if then is None else np.asarray(then(values))


def _labels(
    values: NDArray[np.float32], channel: int | Literal["auto"], threshold: float
) -> NDArray[np.uint8]:
    if channel == "auto" and len(values) > 1:
        return np.asarray(values.argmax(0), np.uint8)
    index = 0 if channel == "auto" else channel
    if index >= len(values):
        raise SettingError(f"There is no output channel {index}: the model has {len(values)}.")
    return np.asarray(values[index] > threshold, np.uint8)


class _Network:
    """The model's network with its axes in our order: (B, C, *S) to (B, K, *S)."""

    def __init__(self, model: Package, device: str) -> None:
        self.model, self.network = model, _session(model.weights, device, state_of(model.weights))

    def __call__(self, block: Tensor) -> Tensor:
        import torch

        ours = "bc" + "".join(s.letter for s in self.model.spatial)
        size = dict(zip(ours, block.shape, strict=True))
        singles = [self._one(one[None], ours, size) for one in block]
        return torch.cat(singles) if len(singles) > 1 else singles[0]

    def _one(self, block: Tensor, ours: str, size: dict[str, int]) -> Tensor:
        given = [s.letter for s in self.model.given]
        absent = [i for i, letter in enumerate(ours) if letter not in given]
        for axis in reversed(absent):
            block = block.squeeze(axis)
        shared = [letter for letter in ours if letter in given]
        result = self.network(block.permute(*[shared.index(a) for a in given]))
        return _ordered(result, self.model.gives, ours, size)


def _ordered(result: Tensor, gives: Sequence[Side], ours: str, size: dict[str, int]) -> Tensor:
    """Bring an output to our axes; axes of length 1 come and go."""
    letters = [s.letter for s in gives]
    extra = [i for i, letter in enumerate(letters) if letter not in ours]
    for axis in reversed(extra):
        result = result.squeeze(axis)
    letters = [a for a in letters if a in ours]
    for missing in (a for a in ours if a not in letters):
        result, letters = result.unsqueeze(0), [missing, *letters]
    result = result.permute(*[letters.index(a) for a in ours])
    if tuple(result.shape[2:]) != tuple(size[a] for a in ours[2:]):
        raise InputError(
            f"The network gives {tuple(result.shape[2:])} voxels for a tile of "
            f"{tuple(size[a] for a in ours[2:])}; its description does not say so."
        )
    return result


@lru_cache(maxsize=4)
def _session(weights: Path, device: str, state: State) -> Any:  # noqa: ARG001 - part of the key
    """A network, loaded once for all time points and images of a process."""
    from napari_segment.deep.inference.networks.onnx_runtime import OnnxNetwork

    return OnnxNetwork(weights, device)
