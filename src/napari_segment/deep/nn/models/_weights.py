"""Files of pretrained weights."""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor

from napari_segment.errors import FormatError, MissingError
from napari_segment.printable import one_line

SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")
PROBE_SECONDS = 4.0  # after which a host that does not answer counts as out of reach


def given_file(weights: str) -> Path | None:
    """Return the file that a setting names, or None where it is no path.

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
    try:
        return dict(torch.load(file, map_location="cpu", weights_only=True))
    except (RuntimeError, UnpicklingError, EOFError, TypeError, ValueError) as error:
        raise FormatError(
            f"Cannot read the weights {file}: {one_line(str(error))[:200]}. Files of tensors by "
            "name are read; code in them is not run."
        ) from None
