"""Trace the peak memory of a network with tensors on the meta device (torch)."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Traced = tuple[int, int]
_known_networks: WeakKeyDictionary[Any, dict[tuple[int, ...], Traced]] = WeakKeyDictionary()


def trace(network: Callable[[Tensor], Tensor], shape: Sequence[int]) -> Traced:
    """Return the peak of live bytes in a forward pass, and the number of output channels.

    A network is traced once for each shape: for a small plane that takes as long as its prediction.

    Parameters
    ----------
    network : module or callable
        Its weights are not touched.
    shape : sequence of int
        Of the input (B, C, *tile).

    Returns
    -------
    tuple of int
        ``(0, 1)`` for a network that cannot be traced.
    """
    if not isinstance(network, torch.nn.Module):
        return _traced(network, shape)
    known = _known_networks.setdefault(network, {})
    if tuple(shape) not in known:
        known[tuple(shape)] = _traced(network, shape)
    return known[tuple(shape)]


def _traced(network: Callable[[Tensor], Tensor], shape: Sequence[int]) -> Traced:
    block = torch.empty(tuple(shape), device="meta")
    ledger = _Ledger()
    try:
        on_meta = _meta_copy(network)
        with ledger, torch.no_grad():
            output = on_meta(block)
    except Exception:  # a network may do anything with meta tensors
        return 0, 1
    return ledger.most, int(output.shape[1])


def _meta_copy(network: Any) -> Any:
    """Return a copy with weights on the meta device; a module that is used twice stays one."""
    if not isinstance(network, torch.nn.Module):
        return network
    buffers = {id(b): b.to("meta") for b in network.buffers()}
    parameters = {
        id(p): torch.nn.Parameter(p.detach().to("meta"), requires_grad=False)
        for p in network.parameters()
    }
    return copy.deepcopy(network, {**buffers, **parameters})


class _Ledger(TorchDispatchMode):
    """Sum of the memory of all live tensors, and its maximum."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.most = 0
        self._known: set[int] = set()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._note(leaf)
        return result

    def _note(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata  # noqa: SLF001 - a meta tensor has no address
        if key in self._known:
            return
        self._known.add(key)
        self.now += storage.nbytes()
        self.most = max(self.most, self.now)
        weakref.finalize(storage, self._forget, key, storage.nbytes())

    def _forget(self, key: int, count: int) -> None:
        self._known.discard(key)
        self.now -= count
