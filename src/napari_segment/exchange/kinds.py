"""Kinds of models: how each is recognised, described and run; other packages add theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from napari_segment.deep.card import ModelCard


@dataclass(frozen=True)
class Kind:
    """One kind of model.

    Parameters
    ----------
    name, title : str
        For programs and for people.
    method, setting : str
        The method that runs such models, and its setting that takes the path of one.
    find : callable
        From a file or folder to the path that the method takes; None where it is no such model.
        Opens no more than it must, and runs nothing.
    card : callable
        From that path to what is known of the model.
    files : callable
        From that path to the files that belong to the model, all in one folder or below it.
    picture : callable
        From that path to a picture; None where there is none.
    """

    name: str
    title: str
    method: str
    setting: str
    find: Callable[[Path], Path | None]
    card: Callable[[Path], ModelCard]
    files: Callable[[Path], Iterable[Path]]
    picture: Callable[[Path], Path | None] = lambda _: None


_KINDS: dict[str, Kind] = {}


def add_kind(kind: Kind) -> Kind:
    """Add a kind of models to those that are recognised."""
    _KINDS[kind.name] = kind
    return kind


def kinds() -> dict[str, Kind]:
    """Return all kinds by name."""
    return dict(_KINDS)


def recognised(path: Path) -> tuple[Kind, Path] | None:
    """Return the kind of the model at a path, and what its method takes; None if there is none."""
    for kind in _KINDS.values():
        entry = kind.find(path)
        if entry is not None:
            return kind, entry
    return None


def files_below(folder: Path) -> list[Path]:
    """Return the regular files in a folder and below, without hidden ones and links."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
