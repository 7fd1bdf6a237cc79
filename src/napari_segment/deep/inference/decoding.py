"""Decoders from the blended outputs of a network to labels and maps.

A decoder is a callable from a `Slab` to an array: ``(*slab)`` for one value per voxel, or
``(n, *slab)`` for several; `combined` gives several arrays by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.inference.tiling import Where
from napari_segment.errors import SettingError

if TYPE_CHECKING:
    from torch import Tensor

_CACHED_VOXELS = 2**18

Activation: TypeAlias = Literal["softmax", "sigmoid", "none"]


@dataclass(frozen=True)
class Slab:
    """A finished part of the volume.

    Parameters
    ----------
    sums : tensor (K, *slab)
        Weighted sums of the network's outputs.
    where : tuple of slice
        The part of the volume, spatial axes.
    weights : sequence of array
        The weights' sum along each axis; a voxel's sum of weights is their product.
    """

    sums: Tensor
    where: Where
    weights: Sequence[NDArray[np.float32]]

    def mean(self) -> Tensor:
        """Return the blended outputs ``(K, *slab)``."""
        import torch

        mean = self.sums.clone()
        for axis, weight in enumerate(self.weights):
            shape = [1] * mean.ndim
            shape[axis + 1] = -1
            mean.mul_(torch.from_numpy(1 / weight).to(mean.device).reshape(shape))
        return mean


Decode: TypeAlias = Callable[[Slab], Any]


def argmax(slab: Slab) -> NDArray[np.uint8 | np.uint16]:
    """Decode to the class of the largest output; with one output, to 1 where it is above 0.

    A sum has the largest channel, and the sign, of the mean: nothing is divided.
    """
    return _largest(slab.sums)


def _largest(values: Tensor) -> NDArray[np.uint8 | np.uint16]:
    import torch

    if values.shape[0] == 1:
        return _array((values[0] > 0).to(torch.uint8))
    kind = torch.uint8 if values.shape[0] <= 256 else torch.uint16
    if values.device.type != "cpu":
        return _array(values.max(0).indices.to(kind))
    # Some rows at a time, which stay in the processor's cache.
    rows = max(1, _CACHED_VOXELS // max(1, values[0, 0].numel()))
    index = torch.empty(values.shape[1:], dtype=kind)
    for part, into in zip(values.split(rows, 1), index.split(rows), strict=True):
        into.copy_(_leading(part))
    return _array(index)


def _leading(values: Tensor) -> Tensor:
    """Return the first channel with the largest value.

    One comparison of whole channels after another: `max` and `argmax` branch at every voxel, which
    takes eight times as long on a CPU.
    """
    import torch

    kind = torch.uint8 if values.shape[0] <= 256 else torch.int32
    maximum = values[0]
    index = torch.zeros(values.shape[1:], dtype=kind, device=values.device)
    for k, channel in enumerate(values[1:], 1):
        torch.maximum(index, (channel > maximum).to(kind).mul_(k), out=index)
        maximum = torch.maximum(maximum, channel)
    return index


def probabilities(activation: Activation = "softmax") -> Decode:
    """Decode to the probability of every channel, ``(K, *slab)`` float32.

    Parameters
    ----------
    activation : {"softmax", "sigmoid", "none"}
        Function from outputs to probabilities; a single channel always takes the sigmoid.
    """
    return partial(_probabilities, activation=activation)


def _probabilities(slab: Slab, activation: Activation) -> NDArray[np.float32]:
    return _array(activate(slab.mean(), activation, 0))


def thresholded(thresholds: Sequence[float], activation: Activation = "softmax") -> Decode:
    """Decode to the class that exceeds its own threshold by the largest factor, else 0.

    Parameters
    ----------
    thresholds : sequence of float
        One for every class but the background, in (0, 1); or one for all.
    activation : {"softmax", "sigmoid", "none"}
        With "sigmoid" (multi-label) every channel is a class; with "softmax" channel 0 is the
        background.
    """
    if not thresholds or not all(0 < t < 1 for t in thresholds):
        raise SettingError(f"The thresholds are {tuple(thresholds)}: give numbers between 0 and 1.")
    return partial(_thresholded, thresholds=tuple(thresholds), activation=activation)


def _thresholded(
    slab: Slab, thresholds: tuple[float, ...], activation: Activation
) -> NDArray[np.uint8 | np.uint16]:
    import torch

    values = activate(slab.mean(), activation, 0)
    foreground = values if activation == "sigmoid" or len(values) == 1 else values[1:]
    if len(thresholds) not in (1, len(foreground)):
        raise SettingError(
            f"{len(thresholds)} thresholds were given for {len(foreground)} classes: give one for "
            "each class, or one for all."
        )
    limits = torch.tensor(thresholds, device=values.device).expand(len(foreground))
    excess = foreground / limits.reshape(-1, *[1] * (values.ndim - 1))
    kind = torch.uint8 if len(foreground) < 256 else torch.uint16
    index = _leading(excess).to(torch.int32).add_(1)
    return _array(torch.where(excess.amax(0) >= 1, index, 0).to(kind))


def entropy(activation: Activation = "softmax") -> Decode:
    """Decode to the entropy of the probabilities, float32 from 0 (certain) to 1 (uniform).

    In units of the largest entropy that the number of classes allows. Of multi-label channels
    the largest is taken.
    """
    return partial(_entropy, activation=activation)


def _entropy(slab: Slab, activation: Activation) -> NDArray[np.float32]:
    return _array(uncertainty(activate(slab.mean(), activation, 0), activation, 0))


def activate(outputs: Tensor, activation: Activation, axis: int) -> Tensor:
    """Turn raw outputs into probabilities along a channel axis."""
    if activation == "none":
        return outputs
    if activation == "sigmoid" or outputs.shape[axis] == 1:
        return outputs.sigmoid()
    return outputs.softmax(axis)


def uncertainty(probability: Tensor, activation: Activation, axis: int) -> Tensor:
    """Return the entropy over a channel axis as a fraction of its maximum; the axis is reduced."""
    import torch

    count = probability.shape[axis]
    if activation == "sigmoid" or count == 1:
        binary = torch.special.entr(probability) + torch.special.entr(1 - probability)
        return binary.amax(axis) / np.log(2)
    return torch.special.entr(probability).sum(axis) / np.log(count)


@dataclass(frozen=True)
class Disagreement:
    """Decode mean probabilities and mean entropy to the disagreement of an ensemble.

    It is the mutual information between the class and the member: the entropy of the mean
    probabilities less the mean of the members' entropies [1]_, from 0 to 1.

    Parameters
    ----------
    activation : {"softmax", "sigmoid"}
        Function from outputs to probabilities.

    References
    ----------
    .. [1] Gal Y, Islam R, Ghahramani Z (2017) Deep Bayesian active learning with image data.
       ICML. https://doi.org/10.48550/arXiv.1703.02910
    """

    activation: Activation = "softmax"

    def __call__(self, slab: Slab) -> NDArray[np.float32]:
        values = slab.mean()
        total = uncertainty(values[:-1], self.activation, 0)
        return _array((total - values[-1]).clamp(min=0))


@dataclass(frozen=True)
class Channels:
    """Decoder of some of the channels."""

    decode: Decode
    channels: slice

    def __call__(self, slab: Slab) -> Any:
        return self.decode(Slab(slab.sums[self.channels], slab.where, slab.weights))


def combined(**decoders: Decode) -> Decode:
    """Return a decoder to several arrays by name."""
    return lambda slab: {name: decode(slab) for name, decode in decoders.items()}


def _array(tensor: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.cpu().numpy()
    return array
