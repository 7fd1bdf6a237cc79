"""MONAI bundles as a kind of models: their card is their metadata."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from napari_segment.deep.card import ModelCard
from napari_segment.exchange.archives import names_in
from napari_segment.exchange.kinds import Kind, add_kind, files_below
from napari_segment.exchange.monai_bundle.bundle import (
    CONFIGURATIONS,
    METADATA,
    bundle_folder,
    open_bundle,
)
from napari_segment.io import suffix


def find(path: Path) -> Path | None:
    """Return the path if it is a bundle: its folder or its zip file."""
    if path.is_dir():
        chosen = any((path / name).is_file() for name in CONFIGURATIONS)
        return path if chosen and (path / METADATA).is_file() else None
    if path.is_file() and suffix(path) == ".zip":
        names = names_in(path)
        if all(any(n.endswith(one) for n in names) for one in (METADATA, "models/model.pt")):
            return path
    return None


def card(path: Path) -> ModelCard:
    """Return what the metadata says."""
    bundle = open_bundle(path)
    metadata = bundle.metadata
    background = bundle.output.argmax and len(bundle.channels) > 1
    pixdims = [step.arguments.get("pixdim") for step in bundle.transforms if step.name == "Spacing"]
    wanted = pixdims[-1] if pixdims else None
    known = isinstance(wanted, list) and len(wanted) == bundle.ndim
    spacing = tuple(float(n) for n in reversed(wanted)) if known and wanted else ()
    return ModelCard(
        title=bundle.title,
        segments=_line(metadata.get("description")),
        classes=bundle.channels[1:] if background else bundle.channels,
        holds="classes" if len(bundle.channels) > 1 else "mask",
        ndim=bundle.ndim,
        network=f"MONAI {bundle.network.name}",
        spacing=spacing,
        unit="millimeter" if spacing else "",
        licence=_line(metadata.get("license")),
        authors=_line(metadata.get("authors")),
        citation="; ".join(_lines(metadata.get("references"))),
        data=_line(metadata.get("data_source")),
    )


def files(path: Path) -> Iterable[Path]:
    """Return the zip file, or all files of the folder."""
    return files_below(bundle_folder(path)) if path.is_dir() else [path]


def _line(value: object) -> str:
    return " ".join(str(value or "").split())[:2000]


def _lines(value: object) -> list[str]:
    return [_line(each) for each in value] if isinstance(value, list) else []


KIND = add_kind(Kind("monai_bundle", "MONAI bundle", "monai_bundle", "bundle", find, card, files))
