"""Files of pretrained weights."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from napari_segment.errors import MissingError

SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")
PROBE_SECONDS = 4.0  # after which a host that does not answer counts as out of reach


def given_file(weights: str) -> Path | None:
    """The file that a setting names, or None where it is no path.

    Raises
    ------
    MissingError
        If it is not there.
    """
    path = Path(weights)
    if path.suffix not in SUFFIXES:
        return None
    if not path.is_file():
        raise MissingError(f"There is no file of weights at {path}.")
    return path


def read_weights(file: Path) -> dict[str, Tensor]:
    """Weights by name, from safetensors or from what torch saved; no code is run."""
    if file.suffix == ".safetensors":
        from safetensors.torch import load_file

        return dict(load_file(file))
    return dict(torch.load(file, map_location="cpu", weights_only=True))
