"""Listing of the models of this machine, each with its card."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from napari_segment.deep.card import ModelCard
from napari_segment.errors import SegmentError, UnknownNameError
from napari_segment.exchange.kinds import Kind, kinds, recognised
from napari_segment.io.models_folder import (
    BUNDLED,
    added_path,
    models_folder,
    read_note,
    trained_folders,
    uses_of,
)

Origin: TypeAlias = Literal["bundled", "added", "trained", "path"]


@dataclass(frozen=True)
class Model:
    """One model of this machine.

    Parameters
    ----------
    name : str
        By which methods and commands take it.
    kind : Kind
        What it is.
    origin : {"bundled", "added", "trained", "path"}
        Whether it came with this package, was added, was trained here, or is only given by path.
    path : Path
        What its method takes.
    card : ModelCard
        What is known of it; empty where `problem` says why it cannot be read.
    problem : str
        Why it cannot be used.
    """

    name: str
    kind: Kind
    origin: Origin
    path: Path
    card: ModelCard
    problem: str = ""

    @property
    def folder(self) -> Path:
        """The folder of a model that was added; else that of its path."""
        if self.origin == "added":
            return models_folder() / self.name
        return self.path if self.path.is_dir() else self.path.parent

    @property
    def files(self) -> list[Path]:
        """The files that belong to it; none where it cannot be read."""
        with suppress(SegmentError, OSError):
            return list(self.kind.files(self.path))
        return []

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(file.stat().st_size for file in self.files)

    @property
    def picture(self) -> Path | None:
        """A picture of what it does, where there is one."""
        with suppress(SegmentError, OSError):
            return self.kind.picture(self.path)
        return None

    @property
    def uses(self) -> list[tuple[str, str]]:
        """The last images that it segmented here, each with the date."""
        return uses_of(self.path)

    @property
    def recipe(self) -> tuple[str, dict[str, str]]:
        """The method that runs it, with its setting: what `segment` takes."""
        given = self.name if self.origin in ("bundled", "added") else str(self.path)
        return self.kind.method, {self.kind.setting: given}

    def facts(self) -> dict[str, str]:
        """Return what is known of it in short, by what it is."""
        facts = {"name": self.name, "kind": self.kind.title, "origin": self.origin}
        facts |= {"problem": self.problem} if self.problem else {}
        facts |= self.card.facts()
        facts["size"] = f"{self.size / 2**20:.1f} MiB"
        facts["folder"] = str(self.folder)
        uses = self.uses
        if uses:
            listed = ", ".join(f"{image} ({date})" for image, date in uses[:5])
            facts["used on"] = listed + (", …" if len(uses) > 5 else "")
        return facts

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "name": self.name, "kind": self.kind.name, "origin": self.origin,
            "path": str(self.path), "size": self.size, "problem": self.problem,
            "recipe": list(self.recipe), "uses": self.uses,
            "card": self.card.model_dump(exclude_defaults=True),
        }  # fmt: skip


def list_models() -> list[Model]:
    """List the models of this machine: bundled, added by name, trained here, newest first."""
    return [*_bundled(), *_added(), *_trained()]


def find_model(name: str | Path) -> Model:
    """Return a model of this machine by its name, or that at a path.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    path = Path(name)
    known = list_models()
    for model in known:
        if str(name) == model.name or (path.exists() and model.path.resolve() == path.resolve()):
            return model
    there = recognised(path) if path.exists() else None
    if there is None:
        raise UnknownNameError("model", str(name), (model.name for model in known))
    return described(path.stem, "path", *there)


def described(name: str, origin: Origin, kind: Kind, path: Path) -> Model:
    """Return a model with its card, or with the reason why it cannot be read."""
    try:
        return Model(name, kind, origin, path, kind.card(path))
    except (SegmentError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        return Model(name, kind, origin, path, ModelCard(), str(error))


def _bundled() -> Iterator[Model]:
    for folder in sorted(BUNDLED.glob("*/")):
        there = recognised(folder)
        if there is not None:
            yield described(folder.name, "bundled", *there)


def _added() -> Iterator[Model]:
    known = kinds()
    for folder in sorted(models_folder().glob("[!.]*/")):
        path = added_path(folder)
        if path is None:
            continue
        with suppress(SegmentError, OSError):
            kind = known.get(str(read_note(folder).get("kind", "")))
            if kind is not None:
                yield described(folder.name, "added", kind, path)


def _trained() -> Iterator[Model]:
    own = kinds()["network"]
    for folder in trained_folders():
        yield described(folder.name, "trained", own, folder)
