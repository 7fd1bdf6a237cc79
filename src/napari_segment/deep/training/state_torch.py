"""Save the state that a training continues from; begin from another training's network."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn

from napari_segment.deep.checkpoint import WEIGHTS, Checkpoint, load_tensors
from napari_segment.errors import FormatError, SettingError
from napari_segment.io.models_folder import located
from napari_segment.io.replacing import write_atomically


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write tensors, numbers and strings, whole or not at all."""
    buffer = BytesIO()
    torch.save(state, buffer)
    write_atomically(path, buffer.getvalue())


def load_state(path: Path) -> dict[str, Any]:
    """Read what `save_state` wrote; nothing in the file is executed."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, UnpicklingError, EOFError) as error:
        raise FormatError(f"Cannot read the state of the training in {path}: {error}") from None
    return state


def start_from(network: nn.Module, folder: Path) -> list[str]:
    """Take over the weights of a trained network, as far as their shapes allow.

    Parameters
    ----------
    network : torch.nn.Module
        Of the same model; its channels and classes may differ.
    folder : Path
        Of the trained network, or the name of one of this machine.

    Returns
    -------
    list of str
        Names of the weights that stayed as they were. The first layer of a network with other
        input channels gets the mean over the old channels.

    Raises
    ------
    SettingError
        If less than half of the weights fit: it is another model.
    """
    known = load_tensors(Checkpoint.load(located(folder)).folder / WEIGHTS)
    own = network.state_dict()
    fitting = {k: v for k, v in known.items() if k in own and own[k].shape == v.shape}
    for key, value in known.items():
        if key in own and key not in fitting and _differs_in_input(own[key], value):
            mean = value.mean(1, keepdim=True).expand_as(own[key])
            fitting[key] = mean * (value.shape[1] / own[key].shape[1])
    if 2 * len(fitting) < len(own):
        raise SettingError(
            f"The network in {folder} is another model: {len(fitting)} of {len(own)} weights fit. "
            "Give the model and settings that are in its model.json."
        )
    network.load_state_dict({**own, **fitting})
    return sorted(set(own) - set(fitting))


def _differs_in_input(own: torch.Tensor, known: torch.Tensor) -> bool:
    return (
        own.ndim == known.ndim > 2
        and own.shape[0] == known.shape[0]
        and own.shape[2:] == known.shape[2:]
    )
