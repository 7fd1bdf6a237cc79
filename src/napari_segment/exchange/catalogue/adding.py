"""Adding a model to those of this machine, and removing it."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

from napari_segment.errors import FormatError, SettingError
from napari_segment.exchange.archives import unpacked
from napari_segment.exchange.catalogue.download import download, is_address
from napari_segment.exchange.catalogue.listing import Model, described, find_model
from napari_segment.exchange.kinds import Kind, kinds, recognised
from napari_segment.io import suffix
from napari_segment.io.hashing import file_hash
from napari_segment.io.models_folder import ADDED, BUNDLED, forget_training, models_folder
from napari_segment.io.replacing import placing_together
from napari_segment.step import Step

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,99}")


def add_model(
    source: str | Path,
    *,
    name: str = "",
    sha256: str = "",
    card: str | Path = "",
    overwrite: bool = False,
) -> Generator[Step, None, Model]:
    """Copy a model into the folder of models, whole or not at all.

    Parameters
    ----------
    source : str or Path
        A folder, a file, or an http(s) address, whose download goes on where it was broken off.
    name : str
        By which methods take it; "" for one made of its title.
    sha256 : str
        Expected hash of the file; "" to check none.
    card : str or Path
        JSON file with the card of an ONNX file; "" where it lies next to it, or in its metadata.
    overwrite : bool
        Replace a model of this name.

    Returns
    -------
    Model

    Raises
    ------
    FormatError
        If it is no model that can be used here, or its hash is another.
    SettingError
        If the name is taken, or no name.
    """
    downloaded: Path | None = None
    if is_address(str(source)):
        downloaded = yield from download(str(source), sha256)
        path = downloaded
    else:
        path = Path(source).expanduser()
        _check_hash(path, sha256)
    model = yield from _add(path, str(source), name, Path(card) if card else None, overwrite)
    if downloaded is not None:
        shutil.rmtree(downloaded.parent, ignore_errors=True)
    return model


def _check_hash(path: Path, sha256: str) -> None:
    if not path.exists():
        raise FormatError(f"{path} does not exist. Give a folder, a file, or an http(s) address.")
    if not sha256:
        return
    if path.is_dir():
        raise SettingError(f"A hash is that of a file, but {path} is a folder. Leave it out.")
    actual = file_hash(path).removeprefix("sha256:")
    if actual != sha256.lower().removeprefix("sha256:"):
        raise FormatError(
            f"The SHA-256 of {path} is {actual}, not {sha256}: it is damaged, or another file."
        )


def _add(
    path: Path, source: str, name: str, card: Path | None, overwrite: bool
) -> Generator[Step, None, Model]:
    yield Step(0, 0, f"reading {path.name}")
    kind, entry = _model_at(path)
    if card is not None and kind.name != "onnx":
        raise SettingError(f"A {kind.title} brings its own card: leave 'card' out.")
    if card is None:
        kind.card(entry)  # whatever is wrong with it is said before anything is copied
    name = name or _name_of(kind, entry, source)
    target = models_folder() / name
    _check_name(name, overwrite)
    if target.exists():
        _remove_folder(target)
    with placing_together(models_folder()) as new:
        yield from _copy(kind, entry, new / name, source, card)
        kind.card(new / name / _entry(new / name))  # what was copied can be read too
    return described(name, "added", kind, target / _entry(target))


def _model_at(path: Path) -> tuple[Kind, Path]:
    """Recognise a model: a file, a folder, or what a zip file holds, at most two folders deep."""
    there = recognised(path)
    if there is not None:
        return there
    folder = unpacked(path) if path.is_file() and suffix(path) == ".zip" else path
    if folder.is_dir():
        for below in (folder, *sorted(folder.glob("*/")), *sorted(folder.glob("*/*/"))):
            there = None if below.is_symlink() else recognised(below)
            if there is not None:
                return there
    titles = ", ".join(kind.title for kind in kinds().values())
    raise FormatError(f"{path} is none of the models that can be used here: {titles}.")


def _name_of(kind: Kind, entry: Path, source: str) -> str:
    title = kind.card(entry).title if kind.name != "onnx" else entry.stem
    plain = re.sub(r"[^A-Za-z0-9_.+-]+", "-", title.strip()).strip("-.").lower()
    return plain[:60] or re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(source).stem).strip("-.") or "model"


def _check_name(name: str, overwrite: bool) -> None:
    if not _NAME.fullmatch(name):
        raise SettingError(
            f"{name!r} cannot be the name of a model: use letters, digits, '-', '_', '.' and '+'."
        )
    if (BUNDLED / name).is_dir():
        raise SettingError(f"{name!r} is the name of a bundled model. Give another name.")
    if (models_folder() / name).exists() and not overwrite:
        raise SettingError(
            f"There is a model {name!r} already. Give another name, or overwrite=True "
            "(--overwrite) to replace it."
        )


def _copy(
    kind: Kind, entry: Path, target: Path, source: str, card: Path | None
) -> Generator[Step, None, None]:
    """Copy the files of a model, with a note of their hashes."""
    target.mkdir()
    root = entry if entry.is_dir() else entry.parent
    files = list(kind.files(entry)) if card is None else [entry]
    hashes = {}
    for i, file in enumerate(files):
        yield Step(i, len(files), f"copying {file.name}")
        inside = file.relative_to(root)
        (target / inside).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target / inside)
        hashes[inside.as_posix()] = file_hash(target / inside)
    if card is not None:
        card_name = entry.with_suffix(".json").name
        shutil.copyfile(card, target / card_name)
        hashes[card_name] = file_hash(target / card_name)
    note = {
        "kind": kind.name, "entry": "" if entry.is_dir() else entry.name, "source": source,
        "date": datetime.now(UTC).date().isoformat(), "files": hashes,
    }  # fmt: skip
    (target / ADDED).write_text(json.dumps(note, indent=1) + "\n", "utf-8")


def _entry(folder: Path) -> str:
    return str(json.loads((folder / ADDED).read_text("utf-8"))["entry"])


def remove_model(name: str) -> Model:
    """Remove a model that was added; of one that was trained here only the note is removed.

    Returns
    -------
    Model
        What it was.

    Raises
    ------
    UnknownNameError
        If there is none.
    SettingError
        If it is bundled.
    """
    model = find_model(name)
    if model.origin in ("bundled", "path"):
        why = "came with this package" if model.origin == "bundled" else "is none of those added"
        raise SettingError(f"{model.name!r} {why}: it cannot be removed.")
    if model.origin == "trained":
        forget_training(model.path)
    else:
        _remove_folder(model.folder)
    return model


def _remove_folder(folder: Path) -> None:
    """Rename a folder out of the way, so that it is there whole or not at all, and remove it."""
    aside = folder.with_name(f".removed-{secrets.token_hex(4)}")
    os.replace(folder, aside)  # noqa: PTH105 (one call)
    shutil.rmtree(aside, ignore_errors=True)
