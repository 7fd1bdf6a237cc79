"""Export of trained networks as ONNX files with their description in the metadata."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from napari_segment.deep.checkpoint import MODEL, Checkpoint
from napari_segment.errors import MissingError, SettingError
from napari_segment.exchange.onnx.card import KEY


def export(checkpoint: Checkpoint, path: Path, tile: Sequence[int] = ()) -> Path:
    """Write the network of a checkpoint as ONNX.

    Input is a normalised image ``(B, C, *tile)`` in float32, output are raw logits
    ``(B, K, *tile)``. The checkpoint's ``model.json`` (channels, normalisation, spacing, classes,
    activation) goes into the file's metadata, under the key ``napari_segment``.

    Parameters
    ----------
    checkpoint : Checkpoint
        Of a semantic network.
    path : Path
        The file to write, ending with ``.onnx``; whole or not at all.
    tile : sequence of int
        Spatial size of the input; empty for that of the training patches. B is left open.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SettingError
        If the name, the tile or the kind of network does not fit.
    MissingError
        If the packages that write ONNX are not installed.
    """
    sides = tuple(tile) or checkpoint.patch
    if path.suffix.lower() != ".onnx":
        raise SettingError(f"Cannot export to {path.name}: give a file name that ends with .onnx.")
    if len(sides) != checkpoint.ndim:
        raise SettingError(
            f"The tile {sides} does not fit a {checkpoint.ndim}-D network: give {checkpoint.ndim} "
            "sides, or none for those of the training patches."
        )
    if checkpoint.objects is not None and checkpoint.objects.target == "instances":
        raise SettingError(
            "A detector cannot be written as ONNX: the number of its outputs differs between "
            "images. Export a semantic network."
        )
    from napari_segment.deep.inference.networks.onnx_runtime import export as write_onnx

    partial = path.with_name(f".{path.stem}.{os.getpid()}.onnx")
    try:
        write_onnx(checkpoint.network(), (checkpoint.channels_in, *sides), partial)
        _describe(partial, (checkpoint.folder / MODEL).read_text("utf-8"))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def _describe(path: Path, text: str) -> None:
    """Write the checkpoint's description into the file's metadata."""
    try:
        import onnx
    except ImportError as error:
        raise MissingError("Writing ONNX needs onnx: pip install onnx.") from error
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {KEY: text})
    onnx.save(model, path)
