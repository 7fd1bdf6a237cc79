"""From the outputs of a bundle's network to labels, as its postprocessing says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.inference.decoding import Activation, Slab, activate, argmax
from napari_segment.errors import FormatError
from napari_segment.exchange.monai_bundle.configuration import Part
from napari_segment.exchange.monai_bundle.lists import class_name

if TYPE_CHECKING:
    from torch import Tensor

_SILENT = ("SaveImage", "EnsureType", "DeleteItems", "LoadImage", "CopyItems", "SelectItems")


@dataclass(frozen=True)
class Output:
    """How outputs become labels.

    Parameters
    ----------
    activation : {"none", "softmax", "sigmoid"}
        Before the outputs are brought back onto the image's voxels.
    argmax : bool
        Whether the largest output is the class; else outputs are compared with `threshold`.
    threshold : float
        Smallest value of an output that counts.
    nearest : bool
        Whether the nearest voxel of the network's grid is taken, and none interpolated.
    left_out : tuple of str
        Further steps of the bundle, which are not run.
    weighted : bool
        Whether the last output is the weight of the others, which bear it.
    """

    activation: Activation = "none"
    argmax: bool = True
    threshold: float = 0.5
    nearest: bool = False
    left_out: tuple[str, ...] = ()
    weighted: bool = False

    def activated(self, slab: Slab) -> Slab:
        """Return a slab of finished outputs after the activation."""
        values = slab.mean()
        values = values[:-1] / values[-1:] if self.weighted else values
        values = activate(values, self.activation, 0)
        ones = [np.ones(n, np.float32) for n in values.shape[1:]]
        return Slab(values, slab.where, ones)

    def decode(self, slab: Slab) -> NDArray[Any]:
        """Return the labels of a slab of activated outputs.

        Without argmax several outputs may hold: the class is that of the largest, counted from 1.
        """
        if self.argmax and len(slab.sums) > 1:
            return argmax(slab)
        values = slab.mean()
        index = argmax(Slab(values, slab.where, ())) if len(values) > 1 else np.uint8(0)
        held = _array(values.amax(0) >= self.threshold)
        labels: NDArray[Any] = np.where(held, index.astype(np.uint16) + 1, 0)
        return labels.astype(np.uint8 if len(values) < 256 else np.uint16)


def read_output(part: Part | None) -> Output:
    """Read activation, argmax, threshold and inverse of a bundle's postprocessing.

    Raises
    ------
    FormatError
        If one of these is an expression, naming the location.
    """
    if part is None or part.value is None:
        return Output(activation="none", argmax=True, threshold=0.0)
    inside = part.get("transforms") if not isinstance(part.value, list) else part
    chosen: dict[str, Any] = {"argmax": False, "threshold": None}
    left_out: list[str] = []
    for item in [] if inside is None else inside.items():
        name = class_name(item.target(), "monai.transforms.")
        base = name.removesuffix("Dict").removesuffix("d").removesuffix("D")
        if base == "Activations":
            chosen["activation"] = _activation(item)
        elif base == "AsDiscrete":
            chosen["argmax"] = chosen["argmax"] or bool(_first(item, "argmax"))
            threshold = _first(item, "threshold")
            chosen["threshold"] = chosen["threshold"] if threshold is None else float(threshold)
        elif base == "Invert":
            chosen["nearest"] = _first(item, "nearest_interp") is not False
        elif base not in _SILENT:
            left_out.append(name)
    return _checked(chosen, tuple(left_out))


def _checked(chosen: dict[str, Any], left_out: tuple[str, ...]) -> Output:
    if chosen["threshold"] is None:
        sigmoid = chosen.get("activation") == "sigmoid"
        chosen["argmax"] = chosen["argmax"] or not sigmoid
        chosen["threshold"] = 0.5 if "activation" in chosen else 0.0
    return Output(**chosen, left_out=left_out)


def _activation(item: Part) -> Activation:
    if _first(item, "softmax"):
        return "softmax"
    return "sigmoid" if _first(item, "sigmoid") else "none"


def _first(item: Part, key: str) -> Any:
    """Return an argument that may be given for each key, that of the first key."""
    part = item.get(key)
    value = None if part is None else part.plain()
    if isinstance(value, list):
        value = value[0] if value else None
    if value is not None and not isinstance(value, bool | int | float):
        raise FormatError(f"{item.location}.{key} is {str(value)[:80]!r}: give a number or true.")
    return value


def _array(tensor: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.cpu().numpy()
    return array
