"""Devices: which there are, which one is meant, and what each is good at."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import Field

from napari_segment.blocks import memory
from napari_segment.deep.allocator import give_back
from napari_segment.errors import MissingError, SettingError

if TYPE_CHECKING:
    import torch

Precision: TypeAlias = Literal["auto", "float32", "bfloat16", "float16"]
# The settings that every method has which runs networks over tiles.
PredictionPrecision: TypeAlias = Annotated[
    Precision,
    Field(
        description='Number type of the computation. "auto" is float32 on the CPU and mixed '
        "precision on accelerators."
    ),
]
TileBatch: TypeAlias = Annotated[
    int,
    Field(
        ge=1,
        le=256,
        description="Number of tiles per forward pass. More than 1 helps on GPUs only.",
    ),
]
ResultStore: TypeAlias = Annotated[
    Path | Literal["none"],
    Field(
        description="Folder to which results are written while they are computed (zarr). When the "
        'run is killed, the same call continues it. "none" holds results in memory.'
    ),
]

_ACCELERATORS = ("cuda", "mps", "xpu")


@dataclass(frozen=True)
class Device:
    """One device that networks can run on.

    Parameters
    ----------
    name : str
        What `resolve` and ``--device`` take: "cpu", "cuda:0", "mps", "xpu:1".
    title : str
        The maker's name for it.
    memory : int
        Its memory in bytes, or 0 where it is unknown.
    """

    name: str
    title: str
    memory: int


def devices() -> list[Device]:
    """List the devices of this machine, the one that "auto" takes first.

    Returns
    -------
    list of Device
        Accelerators first, the CPU last; the CPU is always there.
    """
    accelerators = [
        _described(f"{kind}:{i}") for kind in _ACCELERATORS for i in range(_count(kind))
    ]
    return [*accelerators, Device("cpu", _cpu_title(), _system_memory())]


def resolve(name: str = "auto") -> torch.device:
    """Turn a device's name into the device, or say what is there instead.

    Parameters
    ----------
    name : str
        "auto" (the first accelerator, else the CPU), "cpu", "cuda", "cuda:1", "mps", "xpu".

    Returns
    -------
    torch.device

    Raises
    ------
    SettingError
        If the name is none of these.
    MissingError
        If this machine, or this build of PyTorch, has no such device.
    """
    import torch

    if name == "auto":
        return torch.device(devices()[0].name)
    kind, _, index = name.partition(":")
    if kind not in (*_ACCELERATORS, "cpu") or (index and not index.isdigit()):
        raise SettingError(
            f"There is no device {name!r}. Write auto, cpu, cuda, cuda:1, mps or xpu."
        )
    if kind == "cpu":
        return torch.device("cpu")
    count = _count(kind)
    if int(index or 0) >= count:
        raise MissingError(_absent(name, kind, count))
    return torch.device(kind, int(index or 0))


def title(device: torch.device) -> str:
    """Return the maker's name of a device."""
    if device.type == "cpu":
        return _cpu_title()
    return _described(f"{device.type}:{device.index or 0}").title


def precision(device: torch.device, wanted: Precision = "auto") -> torch.dtype:
    """The number type in which a network is trained fastest on a device without harm.

    "auto" is bfloat16 where the hardware multiplies it (avx512_bf16, AMX, CUDA from Ampere on),
    float16 on older CUDA devices, else float32.
    """
    import torch

    if wanted != "auto":
        chosen: torch.dtype = getattr(torch, wanted)
        return chosen
    if device.type == "cpu":
        return torch.bfloat16 if _cpu_multiplies_bfloat16() else torch.float32
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(False) else torch.float16
    return torch.bfloat16 if device.type == "xpu" else torch.float32


def supported_precision(device: torch.device, wanted: Precision) -> Precision:
    """Return the requested precision, or float16 on a CUDA device without bfloat16."""
    import torch

    if wanted == "bfloat16" and device.type == "cuda" and not torch.cuda.is_bf16_supported(False):
        return "float16"
    return wanted


def memory_format(ndim: int, device: torch.device, dtype: torch.dtype) -> torch.memory_format:
    """Channels last where reduced precision is fast in it: convolutions need no reordering."""
    import torch

    if dtype == torch.float32 or device.type not in ("cpu", "cuda"):
        return torch.contiguous_format
    return torch.channels_last if ndim == 2 else torch.channels_last_3d


def augments(device: torch.device, ndim: int) -> bool:
    """Whether patches are better changed on the device than by threads of the CPU.

    Apple's GPUs do not sample volumes through a grid in every version of PyTorch.
    """
    return device.type == "cuda" or (device.type == "mps" and ndim == 2)


def free_memory(device: torch.device) -> int:
    """Bytes that are free on a device; of the CPU, in this machine or its control group."""
    import torch

    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "xpu":
        return int(torch.xpu.mem_get_info(device)[0])
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory())
    return memory.free_memory()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on any device or the CPU."""
    import torch

    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    phrases = ("out of memory", "can't allocate memory", "not enough memory", "alloc_fail")
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(w in text for w in phrases)


def release_memory(device: torch.device) -> None:
    """Hand memory that is cached for later back to the device and to the system."""
    import gc

    import torch

    gc.collect()
    give_back()
    if device.type != "cpu":
        getattr(torch, device.type).empty_cache()


def _absent(name: str, kind: str, count: int) -> str:
    import torch

    here = ", ".join(d.name for d in devices())
    if kind == "cuda" and not torch.backends.cuda.is_built():
        return (
            f"The device {name!r} needs a PyTorch that was built for CUDA, but this one "
            f"({torch.__version__}) was not. Here: {here}."
        )
    there = f"it has {count} of that kind" if count else "it has none of that kind"
    return f"This machine has no device {name!r} ({there}). Here: {here}."


def _count(kind: str) -> int:
    import torch

    if kind == "mps":
        return int(torch.backends.mps.is_available())
    return int(getattr(torch, kind).device_count()) if getattr(torch, kind).is_available() else 0


def _described(name: str) -> Device:
    import torch

    kind, _, index = name.partition(":")
    if kind == "mps":
        return Device("mps", "Apple GPU", int(torch.mps.recommended_max_memory()))
    properties: Any = getattr(torch, kind).get_device_properties(int(index))
    return Device(name, str(properties.name), int(properties.total_memory))


def _cpu_title() -> str:
    import platform

    return f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def _cpu_multiplies_bfloat16() -> bool:
    import torch

    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(
        capabilities.get("avx512_bf16")
        or capabilities.get("amx_bf16")
        or capabilities.get("amx_tile")
    )


def _system_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
