"""The network of a bundle, with its weights (torch)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from math import prod
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from napari_segment.errors import FormatError
from napari_segment.exchange.monai_bundle.bundle import Bundle, Component
from napari_segment.io.changed import State, state_of

_ALWAYS = 2**26  # values that a network may have beyond one for each byte of its weights
_LEAST = 1e-3  # weight of a voxel, as MONAI bounds it
_CALLS = 100_000  # tensors that a network may be made of
_PREFIXES = ("module.", "_orig_mod.")
_SIZED = {
    torch.empty, torch.zeros, torch.ones, torch.rand, torch.randn, torch.full,
}  # fmt: skip
_COUNTED = {torch.arange, torch.linspace}


def load_network(bundle: Bundle) -> nn.Module:
    """Return the network of a bundle in eval mode; loaded once in a process.

    Raises
    ------
    FormatError
        If the weights are no tensors, or do not fit the network.
    """
    file, own = bundle.weights, bundle.network
    return _load(file, own.name, json.dumps(own.arguments), own.location, state_of(file))


@lru_cache(maxsize=4)
def _load(file: Path, name: str, arguments: str, location: str, state: State) -> nn.Module:  # noqa: ARG001 - the key
    held = Component(name, json.loads(arguments), location)
    tensors = read_tensors(file)
    network = build(held, file.stat().st_size)
    wanted = network.state_dict()
    for name, own in wanted.items():
        given = tensors.get(name)
        if given is None or given.shape != own.shape:
            has = "none" if given is None else f"{tuple(given.shape)}"
            raise FormatError(
                f"The weights in {file} do not fit {held.location}: {name} should have the "
                f"shape {tuple(own.shape)}, but has {has}."
            )
    more = sorted(set(tensors) - set(wanted))
    if more:
        raise FormatError(
            f"The weights in {file} do not fit {held.location}: they hold {more[0]} and "
            f"{len(more) - 1} more that {held.name} does not have."
        )
    network.load_state_dict(tensors)
    return _FirstOutput(network).eval()


class _FirstOutput(nn.Module):
    """A network of several outputs as one of its first."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """Return the output of the full resolution."""
        outputs = self.network(image)
        first: Tensor = outputs[0] if isinstance(outputs, list | tuple) else outputs
        return first


class Weighted(nn.Module):
    """A network whose outputs bear the weights of MONAI's Gaussian, which is no product of axes.

    Parameters
    ----------
    network : module
        ``(B, C, *tile)`` to ``(B, K, *tile)``; here it gives ``(B, K + 1, *tile)``, outputs times
        weights, and the weights.
    sigma : float
        Standard deviation as a fraction of a tile.
    """

    def __init__(self, network: nn.Module, sigma: float) -> None:
        super().__init__()
        self.network, self.sigma = network, sigma

    def forward(self, image: Tensor) -> Tensor:
        """Return weighted outputs and their weights."""
        outputs: Tensor = self.network(image).float()
        weights = torch.ones((), device=outputs.device)
        for size in outputs.shape[2:]:
            x = torch.arange(size, device=outputs.device) - (size - 1) / 2
            weights = weights[..., None] * torch.exp(-0.5 * (x / (self.sigma * size)) ** 2)
        weights = weights.clamp(min=_LEAST).expand(len(outputs), 1, *outputs.shape[2:])
        return torch.cat([outputs * weights, weights], 1)


def build(component: Component, size: int) -> nn.Module:
    """Return a network of the list with the arguments of a bundle, and no more values than fit.

    Parameters
    ----------
    component : Component
        Of the list of networks.
    size : int
        Bytes of its weights.

    Raises
    ------
    FormatError
        If MONAI does not take the arguments, or the network is much larger than its weights.
    """
    from monai.networks import nets

    try:
        with _bounded(size + _ALWAYS, component):
            network: nn.Module = getattr(nets, component.name)(**component.arguments)
    except FormatError:
        raise
    except Exception as error:
        raise FormatError(
            f"{component.location}: {component.name} cannot be made with these arguments: {error}"
        ) from None
    return network


@contextmanager
def _bounded(most: int, component: Component) -> Iterator[None]:
    with _Counted(most, component):
        yield


class _Counted(TorchFunctionMode):
    """Refuse tensors before they are made, once there are too many values."""

    def __init__(self, most: int, component: Component) -> None:
        super().__init__()
        self.left, self.calls, self.component = most, _CALLS, component

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func in _SIZED or func in _COUNTED:  # no other call: one may bring a state back
            self._count(func in _SIZED, args, kwargs)
        return func(*args, **kwargs)

    def _count(self, sized: bool, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self.calls -= 1
        if sized:
            size = kwargs.get("size", args[0] if args and not isinstance(args[0], int) else args)
            self.left -= prod(int(n) for n in size)
        else:
            self.left -= int(max([abs(a) for a in args if isinstance(a, int | float)], default=0))
        if self.left < 0 or self.calls < 0:
            raise FormatError(
                f"{self.component.location} describes a network that is far larger than its "
                "weights; it is not made."
            )


# ---- weights ----


def read_tensors(file: Path) -> dict[str, Tensor]:
    """Read the weights in a file of PyTorch, with ``weights_only=True``.

    Raises
    ------
    FormatError
        If it holds anything but tensors and plain values, is TorchScript, or is damaged.
    """
    _check_archive(file)
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise FormatError(
            f"{file} holds more than tensors and is not read, because loading it could run any "
            f"program: {str(error).splitlines()[0][:300]}"
        ) from None
    except (RuntimeError, ValueError, KeyError, EOFError, OSError, AttributeError) as error:
        raise FormatError(f"{file} cannot be read as weights of PyTorch: {error}") from None
    return _named(content, file)


def _check_archive(file: Path) -> None:
    """Refuse what is no archive of PyTorch's weights before anything of it is read."""
    try:
        with ZipFile(file) as archive:
            members = archive.infolist()
    except (BadZipFile, OSError, NotImplementedError) as error:
        raise FormatError(
            f"{file} is no file of weights as PyTorch 1.6 and later save it: {error}"
        ) from None
    if any("/code/" in m.filename or m.filename.endswith("constants.pkl") for m in members):
        raise FormatError(
            f"{file} is TorchScript, a program with its weights, which is never run here. Save the "
            "weights alone: torch.save(torch.jit.load(file).state_dict(), 'model.pt')."
        )
    packed = any(m.compress_type != ZIP_STORED for m in members)
    if packed or sum(m.file_size for m in members) > file.stat().st_size:
        raise FormatError(f"{file} is compressed, or claims to hold more than it has bytes.")


def _named(content: object, file: Path) -> dict[str, Tensor]:
    for key in ("model", "state_dict", "network", "net"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not content:
        raise FormatError(f"{file} holds no weights by name.")
    if not all(isinstance(value, Tensor) for value in content.values()):
        raise FormatError(f"{file} holds values among its weights that are no tensors.")
    return {_plain_name(str(key)): value for key, value in content.items()}


def _plain_name(name: str) -> str:
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name
