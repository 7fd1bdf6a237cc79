"""Weights of a checkpoint of nnU-Net as tensors, and what it says of the training (torch)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import torch
from torch import Tensor

from napari_segment.errors import FormatError
from napari_segment.exchange.nnunet.reading.archive import Archive
from napari_segment.exchange.nnunet.reading.unpickle import Storage, TensorRecord, read_pickle

_TYPES = {
    "FloatStorage": torch.float32, "DoubleStorage": torch.float64, "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
    "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}  # fmt: skip
_PREFIXES = ("module.", "_orig_mod.")
_MOST_DIMENSIONS = 8


@dataclass(frozen=True)
class TrainedWeights:
    """The content of one ``checkpoint_*.pth``.

    Parameters
    ----------
    tensors : mapping of str to tensor
        Parameters by name, without those that stand in the file twice.
    trainer : str
        Name of the class that trained.
    configuration : str
        Such as "3d_fullres"; empty where the file does not say.
    mirror_axes : tuple of int
        Axes that may be mirrored in prediction.
    """

    tensors: Mapping[str, Tensor]
    trainer: str
    configuration: str
    mirror_axes: tuple[int, ...]


def read_weights(path: Path) -> TrainedWeights:
    """Read a checkpoint of nnU-Net.

    Only the network's weights are read, not the state of the optimiser.

    Raises
    ------
    FormatError
        If the file holds anything but tensors, numbers and text, or is damaged.
    """
    with Archive(path) as archive:
        content = read_pickle(archive.description(), path.name)
        weights = content.get("network_weights") if isinstance(content, dict) else None
        if not isinstance(weights, dict) or not weights:
            raise FormatError(
                f"{path.name} has no 'network_weights': it is no checkpoint of nnU-Net v2."
            )
        tensors = {
            _name(key): _tensor(archive, record)
            for key, record in weights.items()
            if not _is_duplicate(str(key))
        }
    training = content.get("init_args")
    configuration = training.get("configuration") if isinstance(training, dict) else ""
    return TrainedWeights(
        tensors,
        str(content.get("trainer_name") or ""),
        configuration if isinstance(configuration, str) else "",
        _axes(content.get("inference_allowed_mirroring_axes"), path),
    )


def load_into(network: torch.nn.Module, weights: TrainedWeights, source: str) -> None:
    """Copy weights into a network, all of them.

    Raises
    ------
    FormatError
        If one is absent or has another shape than the plans say.
    """
    wanted = network.state_dict()
    for name, own in wanted.items():
        given = weights.tensors.get(name)
        if given is None or given.shape != own.shape:
            has = "none" if given is None else f"{tuple(given.shape)}"
            raise FormatError(
                f"The weights in {source} do not fit its plans.json: {name} should have the shape "
                f"{tuple(own.shape)}, but has {has}. Are the two of one training?"
            )
    network.load_state_dict({name: weights.tensors[name] for name in wanted})


def _name(key: object) -> str:
    name = str(key)
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _is_duplicate(key: str) -> bool:
    """Whether a parameter stands in the file under another name too."""
    return "decoder.encoder." in key or ".all_modules." in key


def _tensor(archive: Archive, record: object) -> Tensor:
    name = archive.path.name
    if not isinstance(record, TensorRecord):
        raise FormatError(f"{name} is damaged: one of its weights is no tensor.")
    storage = record.storage
    kind = _TYPES.get(storage.type)
    steps = zip(record.shape, record.stride, strict=True)
    last = record.offset + sum(max(size - 1, 0) * stride for size, stride in steps)
    if (
        kind is None or len(record.shape) > _MOST_DIMENSIONS
        or prod(record.shape) > storage.count or last >= max(storage.count, 1)
    ):  # fmt: skip
        raise FormatError(f"{name} is damaged: a tensor of {record.shape} leaves its storage.")
    flat = _flat(archive, storage, kind)
    tensor = torch.as_strided(flat, record.shape, record.stride, record.offset)
    if not tensor.is_floating_point():
        return tensor.clone()
    if not bool(torch.isfinite(tensor).all()):
        raise FormatError(f"{name} has weights that are not finite: its training failed.")
    return tensor.to(torch.float32, copy=True)


def _flat(archive: Archive, storage: Storage, kind: torch.dtype) -> Tensor:
    count = storage.count * torch.empty(0, dtype=kind).element_size()
    if not count:
        return torch.empty(0, dtype=kind)
    return torch.frombuffer(archive.tensor_bytes(storage.key, count), dtype=kind)


def _axes(value: object, path: Path) -> tuple[int, ...]:
    """Return the axes that may be mirrored; none where the file has None."""
    if value is None:
        return ()
    if isinstance(value, list | tuple) and all(isinstance(axis, int) for axis in value):
        axes = tuple(int(axis) for axis in value)
        if set(axes) <= {0, 1, 2} and len(set(axes)) == len(axes):
            return axes
    raise FormatError(f"{path.name} allows to mirror the axes {value}: give 0, 1 and 2 at most.")
