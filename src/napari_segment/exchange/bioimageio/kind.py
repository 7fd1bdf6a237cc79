"""BioImage.IO packages as a kind of models: their card is their description."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from napari_segment.deep.card import ModelCard
from napari_segment.exchange.archives import names_in
from napari_segment.exchange.bioimageio.package import NAMES, open_package
from napari_segment.exchange.kinds import Kind, add_kind, files_below
from napari_segment.io import suffix

_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff")


def find(path: Path) -> Path | None:
    """Return the path if it is a package: its folder, its description or its zip file."""
    if path.is_dir():
        return path if any((path / name).is_file() for name in NAMES) else None
    if path.name in NAMES:
        return path.parent
    if path.is_file() and suffix(path) == ".zip" and set(NAMES) & set(names_in(path)):
        return path
    return None


def card(path: Path) -> ModelCard:
    """Return what the description says."""
    package = open_package(path)
    description = package.description
    axes = "".join(side.letter for side in package.input_axes)
    entry = description["weights"]["onnx"]
    return ModelCard(
        title=package.name,
        segments=_line(description.get("description")),
        classes=package.channels,
        ndim=len(package.spatial),
        network=f"ONNX, axes {axes}",
        licence=_line(description.get("license")),
        authors=", ".join(_names(description.get("authors"))),
        citation="; ".join(_citations(description.get("cite"))),
        source=_line(description.get("id") or description.get("git_repo")),
        data=_training_data(description.get("training_data")),
        weights=f"sha256:{entry['sha256']}" if entry.get("sha256") else "",
    )


def picture(path: Path) -> Path | None:
    """Return the first cover that lies in the package."""
    package = open_package(path)
    for cover in package.description.get("covers") or ():
        name = cover.get("source") if isinstance(cover, Mapping) else cover
        file = (package.folder / str(name)).resolve()
        inside = file.is_relative_to(package.folder.resolve())
        if inside and file.is_file() and file.suffix.lower() in _PICTURES:
            return file
    return None


def files(path: Path) -> Iterable[Path]:
    """Return the zip file, or all files of the folder."""
    return files_below(path) if path.is_dir() else [path]


def _line(value: object) -> str:
    return " ".join(str(value or "").split())[:2000]


def _names(listed: object) -> list[str]:
    items = listed if isinstance(listed, list) else []
    return [_line(item.get("name")) for item in items if isinstance(item, Mapping)]


def _citations(listed: object) -> list[str]:
    items = listed if isinstance(listed, list) else []
    return [
        _line(f"{item.get('text', '')} {item.get('doi') or item.get('url') or ''}")
        for item in items
        if isinstance(item, Mapping)
    ]


def _training_data(given: object) -> str:
    if not isinstance(given, Mapping):
        return ""
    return _line(given.get("name") or given.get("id"))


KIND = add_kind(
    Kind("bioimageio", "BioImage.IO package", "bioimageio", "package", find, card, files, picture)
)
