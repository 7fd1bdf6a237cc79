"""ONNX files with a card as a kind of models."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from napari_segment.deep.card import CARD, ModelCard
from napari_segment.exchange.kinds import Kind, add_kind
from napari_segment.exchange.onnx.card import find_card
from napari_segment.exchange.onnx.external_data import check_external_data
from napari_segment.exchange.onnx.metadata import metadata_of


def find(path: Path) -> Path | None:
    """Return the path if it is an ONNX file, or a folder with one such file alone."""
    if path.is_dir():
        inside = [file for file in path.glob("*.onnx") if not file.name.startswith(".")]
        return inside[0] if len(inside) == 1 else None
    return path if path.is_file() and path.suffix.lower() == ".onnx" else None


def card(path: Path) -> ModelCard:
    """Return what its card says, with what a model card next to it adds."""
    described = find_card(path, metadata_of(path))
    more = ModelCard.load(path.parent) if (path.parent / CARD).is_file() else ModelCard()
    facts = {
        "title": more.title or path.stem,
        "holds": "mask" if len(described.classes) == 1 else described.holds,
        "classes": tuple(described.names.values()),
        "ndim": described.ndim,
        "channels": tuple(f"channel {c}" for c in range(len(described.normalisation))),
        "network": more.network or f"ONNX, axes {described.input_axes}",
        "spacing": described.spacing,
        "unit": described.unit if described.spacing else "",
    }
    return more.model_copy(update=facts)


def files(path: Path) -> Iterable[Path]:
    """Return the file, its card, and the files of its tensors."""
    near = [path.with_suffix(".json"), path.parent / CARD]
    return [path, *(file for file in near if file.is_file()), *check_external_data(path)]


KIND = add_kind(Kind("onnx", "ONNX file", "onnx", "model", find, card, files))
