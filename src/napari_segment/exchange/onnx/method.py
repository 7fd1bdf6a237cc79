"""The method `onnx`: segmentation with an ONNX file and its card."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.deep.data.resample import Resampled, resampled_shape
from napari_segment.deep.inference.decoding import Decode, argmax, thresholded
from napari_segment.deep.inference.fallback import initial_fallbacks
from napari_segment.deep.inference.options import OnnxDevice, Overlap
from napari_segment.deep.inference.tiling import Reader
from napari_segment.deep.inference.volume import DecodedArray, plan_tiles
from napari_segment.deep.inference.writers.regrid import Regrid
from napari_segment.deep.planning.normalisation import apply, statistics
from napari_segment.errors import FormatError, InputError, SettingError
from napari_segment.exchange.axes import AxesAdapter
from napari_segment.exchange.onnx.card import OnnxCard, find_card
from napari_segment.exchange.onnx.session import load_onnx
from napari_segment.image.units import length_factor
from napari_segment.io.models_folder import located
from napari_segment.registry import Result, methods
from napari_segment.step import Step


@methods.add("onnx", title="ONNX file", group="network", channels="many")
def onnx(
    image: Any,
    spacing: Sequence[float] = (),
    unit: str = "",
    *,
    model: Path,
    card: Path | Literal["auto"] = "auto",
    threshold: Annotated[float, Field(gt=0, lt=1)] | Literal["auto"] = "auto",
    overlap: Overlap = 0.25,
    device: OnnxDevice = "cpu",
) -> Generator[Step, None, Result]:
    """Segment with an ONNX file, whose axes, normalisation and classes are in a card.

    The image is resampled and normalised as the card says, ONNX Runtime runs the network on
    overlapping tiles, and the blended outputs are brought back onto the image's voxels and
    decoded. A 2-D network segments a stack plane by plane. Tensors that the file reads from
    outside of its folder are refused.

    Parameters
    ----------
    image : array (C, *S) or (*S)
        With as many channels as the card has normalisations.
    spacing : sequence of float
        Distance between voxels along each spatial axis.
    unit : str
        Unit of the spacing.
    model : Path
        The ONNX file, with one input; or the name of a model of this machine.
    card : Path or "auto"
        JSON file with the card. "auto" takes ``name.json`` next to ``name.onnx``, else the
        description in a file that ``export`` wrote.
    threshold : float or "auto"
        Probability that a class must reach. "auto" takes the most probable class, and 0.5 for
        outputs that exclude no other.

    Returns
    -------
    Result
        Labels ``(*S)``: a mask with one output, else classes.
    """
    if model == Path():
        raise SettingError("'onnx' needs a model: give the path of an ONNX file.")
    model = located(model)
    network = load_onnx(model, device)
    description = find_card(model, network.metadata) if card == "auto" else OnnxCard.load(card)
    _check_tile(description, network.input_shape, model)
    image = image[None] if len(image.shape) == (len(spacing) or description.ndim) else image
    _check_image(description, image, model)
    adapted = AxesAdapter(
        network, description.input_axes, description.output_axes or description.input_axes
    )
    resampled = _resampled(description, image, spacing, unit)
    array = yield from _labels(description, adapted, image, resampled, overlap, threshold)
    if len(description.classes) == 1 or description.holds == "mask":
        return Result(array.astype(bool), "mask", description.names)
    numbers = description.values or tuple(range(1 + len(description.names)))
    return Result(
        np.array(numbers, np.min_scalar_type(max(numbers)))[array],
        "classes",
        description.names,
        numbers,
    )


def _labels(
    card: OnnxCard, network: Any, image: Any, resampled: Any, overlap: float,
    threshold: float | Literal["auto"],
) -> Generator[Step, None, NDArray[Any]]:  # fmt: skip
    """Predict class indices on the image's own grid."""
    from napari_segment.deep.inference.compute.device_workers_torch import workers_on_devices
    from napari_segment.deep.inference.compute.stream_torch import stream

    network, grid = plan_tiles(network, resampled, card.tile, overlap)
    shape = tuple(int(n) for n in image.shape[1:])
    decode = _decoder(card, threshold)
    result = DecodedArray(shape, decode, None)
    take: Any = result.write
    if shape != grid.shape:
        take = Regrid(grid, shape, decode, result.write_values)
    prepare = partial(apply, numbers=statistics(image, card.normalisation))
    workers = workers_on_devices(network, initial_fallbacks(grid.tile, 1, "cpu"))
    yield from stream(workers, Reader(resampled, grid, prepare), take)
    return np.asarray(result.array)


def _decoder(card: OnnxCard, threshold: float | Literal["auto"]) -> Decode:
    if threshold == "auto" and card.has_background:
        return argmax
    return thresholded((0.5 if threshold == "auto" else threshold,), card.activation)


def _resampled(card: OnnxCard, image: Any, spacing: Sequence[float], unit: str) -> Any:
    """Return a view of the image in the card's spacing."""
    if not card.spacing or not spacing:
        return image
    factor = 1.0 if unit in ("", card.unit) else length_factor(unit, card.unit)
    if factor is None:
        raise InputError(
            f"The network expects a spacing of {card.spacing} {card.unit}, but that of the image "
            f"is in {unit}. Give the image its spacing and unit."
        )
    present = tuple(s * factor for s in spacing[-card.ndim :])
    inner = resampled_shape(image.shape[-card.ndim :], present, card.spacing)
    shape = (*image.shape[1 : -card.ndim], *inner)
    return image if shape == tuple(image.shape[1:]) else Resampled(image, shape)


def _check_tile(card: OnnxCard, shape: Sequence[int | str], model: Path) -> None:
    """Raise an error if the card does not fit the input of the file."""
    if len(shape) != len(card.input_axes):
        raise FormatError(
            f"The card says that {model.name} takes the axes {card.input_axes!r}, but its input "
            f"has {len(shape)}: {tuple(shape)}. Correct 'input_axes'."
        )
    tile = dict(zip((a for a in "zyx" if a in card.input_axes), card.tile, strict=True))
    expected = {**tile, "b": 1, "c": len(card.normalisation)}
    for letter, size in zip(card.input_axes, shape, strict=True):
        if isinstance(size, int) and size > 0 and size != expected[letter]:
            raise FormatError(
                f"{model.name} takes an input of {tuple(shape)} along {card.input_axes!r}, but its "
                f"card says {expected[letter]} along {letter!r}. Correct 'tile', 'normalisation' "
                "(one for each channel) or 'input_axes'."
            )


def _check_image(card: OnnxCard, image: Any, model: Path) -> None:
    channels, dimensions = int(image.shape[0]), len(image.shape) - 1
    if channels != len(card.normalisation):
        raise InputError(
            f"{model.name} takes {len(card.normalisation)} channel(s), but the image has "
            f"{channels}. Choose as many with the filter 'channels'."
        )
    if dimensions < card.ndim:
        raise InputError(f"{model.name} takes volumes, but the image is {dimensions}-D.")
