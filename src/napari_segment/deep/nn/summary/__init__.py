"""Summarise a network: a table and a drawing of its layers, and what it will cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_segment.deep.nn.summary.layer import Layer
from napari_segment.deep.randomness import own_random_numbers
from napari_segment.errors import SettingError
from napari_segment.recipe import Spec, SpecLike

_SIDES = {2: 256, 3: 64}
_FLOAT = 4  # bytes


@dataclass(frozen=True)
class Summary:
    """A network's layers in the order in which they run, and what they cost.

    Parameters
    ----------
    title : str
        The model's name.
    size : tuple of int
        ``(batch, channels, *S)`` of the input that it was traced with.
    layers : tuple of Layer
        In order.
    parameters, trainable : int
        Numbers in the network, and those that learn.
    """

    title: str
    size: tuple[int, ...]
    layers: tuple[Layer, ...]
    parameters: int
    trainable: int

    @property
    def activations(self) -> int:
        """Bytes of all layers' outputs for the whole batch, in single precision."""
        return _FLOAT * self.size[0] * sum(_count(layer.shape) for layer in self.layers)

    @property
    def memory_training(self) -> int:
        """Bytes of a training step, roughly.

        The weights, their gradients, two moments of Adam, and every layer's output, in single
        precision; half precision needs about half of the outputs.
        """
        return _FLOAT * (self.parameters + 3 * self.trainable) + self.activations

    @property
    def memory_prediction(self) -> int:
        """Bytes of a prediction, roughly: the weights and the four largest outputs."""
        largest = sorted((_count(layer.shape) for layer in self.layers), reverse=True)[:4]
        return _FLOAT * (self.parameters + self.size[0] * sum(largest))

    def to_markdown(self) -> str:
        """Return the table of layers, and the sums below it."""
        rows = [
            f"| {i} | {layer.name} | {layer.kind} | {_times(layer.shape)} "
            f"| {layer.parameters:,} | {_from(layer, i)} |"
            for i, layer in enumerate(self.layers)
        ]
        return "\n".join(
            [
                f"# {self.title}",
                "",
                f"Input {_times(self.size[1:])}, batch of {self.size[0]}.",
                "",
                "| # | layer | kind | output | parameters | from |",
                "|---:|---|---|---|---:|---|",
                *rows,
                "",
                self.costs(),
                "",
            ]
        )

    def costs(self) -> str:
        """Parameters and memory in one sentence each."""
        frozen = self.parameters - self.trainable
        frozen_text = f" ({frozen:,} of them frozen)" if frozen else ""
        return (
            f"{self.parameters:,} parameters{frozen_text}. "
            f"Memory, estimated in single precision: {_bytes(self.memory_training)} to train, "
            f"{_bytes(self.memory_prediction)} to predict, for a batch of {self.size[0]}."
        )

    def draw(self, path: str | Path) -> Path:
        """Draw the layers and what flows between them.

        Parameters
        ----------
        path : path
            Of a ``.png``, ``.svg`` or ``.pdf`` file.

        Returns
        -------
        Path
            The file. Layers that follow one another at one size are one box; a box stands the
            lower the coarser it is; arcs are skip connections.
        """
        from napari_segment.deep.nn.summary.drawing import draw

        title = f"{self.title} · {self.costs()}"
        return draw(self.layers, self.size, title, Path(path))


def summary(
    model: SpecLike | Any,
    *,
    channels_in: int = 1,
    channels_out: int = 2,
    ndim: int = 2,
    size: Sequence[int] = (),
    batch: int = 1,
) -> Summary:
    """Say what a network is made of and what it will cost, without running it.

    Parameters
    ----------
    model : Spec, name, pair, mapping or torch.nn.Module
        What `napari_segment.deep.nn.models.build` takes, or a module.
    channels_in, channels_out, ndim : int
        As `build` takes them; a `Segmenter` knows them itself.
    size : sequence of int
        Sides of the input; empty for 256 in 2-D and 64 in 3-D.
    batch : int
        Images at once.

    Returns
    -------
    Summary
        Only shapes are computed, so that a large network costs nothing either.
    """
    from napari_segment.deep.nn.models import build
    from napari_segment.deep.nn.summary import trace_torch

    net: Any = model
    title = type(model).__name__
    if not hasattr(model, "parameters"):
        title = Spec.of(model).name
        with own_random_numbers():
            net = build(model, channels_in, channels_out, ndim, pretrained=False)
    channels_in = getattr(net, "channels_in", channels_in)
    ndim = getattr(net, "ndim", ndim)
    sides = tuple(size) or (_SIDES[ndim],) * ndim
    if len(sides) != ndim or min(sides) < 1:
        raise SettingError(f"The size {sides} does not fit a {ndim}-D network: give {ndim} sides.")
    shape = (batch, channels_in, *sides)
    numbers = [(p.numel(), p.requires_grad) for p in net.parameters()]
    spec = getattr(net, "spec", None)
    return Summary(
        title=spec.name if spec else title,
        size=shape,
        layers=tuple(trace_torch.layers(net, shape)),
        parameters=sum(n for n, _ in numbers),
        trainable=sum(n for n, learns in numbers if learns),
    )


def _count(shape: Sequence[int]) -> int:
    total = 1
    for n in shape:
        total *= n
    return total


def _times(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape))


def _from(layer: Layer, position: int) -> str:
    if position and layer.inputs == (position - 1,):
        return ""
    return ", ".join("image" if i < 0 else str(i) for i in layer.inputs)


def _bytes(number: float) -> str:
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} GB"
