"""Follow a tensor through a network's layers, on shapes alone."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from napari_segment.deep.nn.summary.layer import Layer

IMAGE = -1


def layers(net: nn.Module, shape: Sequence[int]) -> list[Layer]:
    """Return the layers that run, in order, with what reaches each.

    Parameters
    ----------
    net : torch.nn.Module
        Left as it is.
    shape : sequence of int
        Of the input, with the batch.

    Returns
    -------
    list of Layer
        Modules without children, and functions of torch between them passed through.
    """
    net = copy.deepcopy(net).to("meta").eval()
    image = torch.empty(tuple(shape), device="meta")
    flow = _Flow(image)
    hooks = []
    for name, module in net.named_modules():
        if not any(True for _ in module.children()):
            hooks.append(module.register_forward_hook(flow.record(name)))
    with torch.inference_mode(), flow:
        getattr(net, "walk", net)(image)  # a detector's way depends on what it finds
    return flow.layers


class _Flow(TorchDispatchMode):
    """Remembers, of every tensor, which layers it came from."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.layers: list[Layer] = []
        self.batch = len(image)
        self.origin: dict[int, frozenset[int]] = {id(image): frozenset({IMAGE})}
        self.alive: list[Tensor] = [image]  # an id is only good for as long as its tensor lives
        self.inside = 0

    def __torch_dispatch__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        result = func(*args, **(kwargs or {}))
        self._mark(_tensors(result), self._sources(_tensors((args, kwargs))))
        return result

    def record(self, name: str) -> Callable[[nn.Module, object, object], None]:
        """A forward hook for one layer."""

        def hook(module: nn.Module, inputs: object, output: object) -> None:
            tensors = _tensors(output)
            if isinstance(module, nn.Identity | nn.Dropout) or not tensors:
                return
            sources = self._sources(_tensors(inputs))
            position = len(self.layers)
            shape = tuple(tensors[0].shape)
            if shape[0] != self.batch:  # regions of all images together
                shape = (self.batch, shape[0] // self.batch, *shape[1:])
            self.layers.append(
                Layer(
                    name=name,
                    kind=type(module).__name__,
                    shape=shape[1:],
                    parameters=sum(p.numel() for p in module.parameters()),
                    inputs=tuple(sorted(sources)),
                )
            )
            self._mark(tensors, frozenset({position}))

        return hook

    def _sources(self, tensors: Iterable[Tensor]) -> frozenset[int]:
        return frozenset().union(*(self.origin.get(id(t), frozenset()) for t in tensors))

    def _mark(self, tensors: Iterable[Tensor], sources: frozenset[int]) -> None:
        for tensor in tensors:
            self.origin[id(tensor)] = sources
            self.alive.append(tensor)


def _tensors(tree: object) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]
