"""Replace files: what is written appears whole, and what belongs together appears together.

New files are written into a folder ``.writing-*`` next to their targets, which names its owner.
When all are complete, a list of them is written there (``commit``), the earlier files are renamed
into the folder, the new ones are renamed out of it, and the folder is removed. After a kill at
any moment the next process that reads or writes there finishes what has a list, and removes what
has none.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from napari_segment.errors import FormatError
from napari_segment.io.lock import check_held
from napari_segment.io.names import suffix
from napari_segment.io.owner import Owner, has_ended
from napari_segment.io.registry import formats

PREFIX = ".writing-"
# What a disk says that is full or read-only; NumPy gives no number.
_REFUSED = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, None)
OWNER, COMMIT, EARLIER, NEW = ".owner.json", ".commit.json", ".earlier", "new"


@contextmanager
def placing(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; the file replaces `path` when it is complete.

    So a failure leaves no broken file, and a lazy stack may be read from the file that it replaces.

    Parameters
    ----------
    path : Path
        The file; folders are made as needed.

    Raises
    ------
    FormatError
        If nothing can be written to its folder.
    """
    with placing_together(path.parent) as folder:
        yield folder / path.name


@contextmanager
def placing_together(parent: Path, removed: Collection[str] = (), last: str = "") -> Iterator[Path]:
    """Return a folder for several files, which appear in `parent` together or not at all.

    Parameters
    ----------
    parent : Path
        Where they go; made as needed.
    removed : collection of str
        Names of earlier files in `parent` that go when the new ones come.
    last : str
        Name of the file whose presence says that all are there: it goes first and comes last.

    Raises
    ------
    FormatError
        If nothing can be written to `parent`, or if it is locked and was removed meanwhile.
    """
    unfinished = _new_folder(parent)
    try:
        with _disk(parent):
            yield unfinished / NEW
            _commit(unfinished, parent.absolute(), removed, last)
    finally:
        if not (unfinished / COMMIT).exists():
            shutil.rmtree(unfinished, ignore_errors=True)


def _new_folder(parent: Path) -> Path:
    """A folder in `parent` that names its owner, with one in it for what is new."""
    held, owner = check_held(parent), Owner.current()
    try:
        parent.mkdir(parents=not held, exist_ok=True)
        recover_once(parent.absolute())
        folder = Path(tempfile.mkdtemp(dir=parent.absolute(), prefix=PREFIX))
        try:
            (folder / OWNER).write_text(owner.to_json(), "utf-8")
            (folder / NEW).mkdir()
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    except OSError as error:
        raise FormatError(
            f"Nothing can be written to the folder {parent}: {error.strerror}."
        ) from None
    return folder


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole, old or new, whenever the machine stops.

    Raises
    ------
    FormatError
        If it lies in a locked folder that was removed meanwhile, or the disk takes no more.
    """
    held = check_held(path)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    with _disk(path.parent):
        path.parent.mkdir(parents=not held, exist_ok=True)
        descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            _copy_mode(path, partial)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """Say in a sentence that a disk is full or read-only."""
    try:
        yield
    except FormatError:
        raise
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
        raise FormatError(
            f"Nothing more can be written to the folder {folder}: {error.strerror or error}. What "
            "was there before is whole. Make room, or write to another folder."
        ) from error


@lru_cache(maxsize=1024)
def recover_once(parent: Path) -> None:
    """Recover a folder when it is first used in this process; see `recover`."""
    recover(parent)


def recover(parent: Path) -> None:
    """Finish or remove what processes that have ended left unfinished in a folder."""
    for unfinished in parent.glob(f"{PREFIX}*"):
        if unfinished.is_symlink() or not has_ended(unfinished / OWNER):
            continue
        claimed = parent / f"{PREFIX}{secrets.token_hex(4)}"
        with suppress(OSError):  # another process is doing the same
            unfinished.rename(claimed)
            (claimed / OWNER).write_text(Owner.current().to_json(), "utf-8")
            if (claimed / COMMIT).exists():
                _roll_forward(claimed, parent)
            shutil.rmtree(claimed)


# ---- the exchange ----


def _commit(unfinished: Path, parent: Path, removed: Collection[str], last: str) -> None:
    written = (path.name for path in (unfinished / NEW).iterdir())
    names = sorted(written, key=lambda name: (name == last, name))
    for name in names:
        _check_replaceable(parent / name)
        _copy_mode(parent / name, unfinished / NEW / name)
    gone = [name for name in removed if name not in names and (parent / name).exists()]
    if len(names) == 1 and not gone and not (parent / names[0]).is_dir():
        os.replace(unfinished / NEW / names[0], parent / names[0])  # noqa: PTH105 (one call)
        return
    (unfinished / EARLIER).mkdir()
    plan = {"names": names, "removed": gone}
    write_atomically(unfinished / COMMIT, json.dumps(plan).encode())
    try:
        _roll_forward(unfinished, parent)
    except BaseException:
        _roll_back(unfinished, parent, names, gone)  # where this fails, `recover` comes later
        (unfinished / COMMIT).unlink(missing_ok=True)
        raise
    (unfinished / COMMIT).unlink(missing_ok=True)


def _roll_forward(unfinished: Path, parent: Path) -> None:
    """Rename the earlier files away and the new ones in, from wherever this was stopped."""
    names, removed = _read_plan(unfinished / COMMIT)
    missing = [name for name in names if os.path.lexists(unfinished / NEW / name)]
    for name in (*reversed(missing), *removed):
        if os.path.lexists(parent / name):
            os.rename(parent / name, unfinished / EARLIER / name)  # noqa: PTH104
    for name in missing:
        os.rename(unfinished / NEW / name, parent / name)  # noqa: PTH104


def _read_plan(path: Path) -> tuple[list[str], list[str]]:
    """Read which names come and which go; a folder of a stranger may name nothing outside of it.

    Raises
    ------
    OSError
        If the file cannot be read or is not such a plan.
    """
    try:
        plan = json.loads(path.read_text("utf-8"))
        names, removed = ([str(name) for name in plan[key]] for key in ("names", "removed"))
    except (ValueError, TypeError, KeyError) as error:
        raise OSError(f"{path} is no list of files to replace.") from error
    if any(name != Path(name).name or name in ("", ".", "..") for name in (*names, *removed)):
        raise OSError(f"{path} names files outside of its folder.")
    return names, removed


def _roll_back(
    unfinished: Path, parent: Path, names: Collection[str], removed: Collection[str]
) -> None:
    """Rename the earlier files in again."""
    for name in (*names, *removed):
        new, target = unfinished / NEW / name, parent / name
        earlier = unfinished / EARLIER / name
        if name in names and not os.path.lexists(new):
            os.rename(target, new)  # noqa: PTH104
        if os.path.lexists(earlier):
            os.rename(earlier, target)  # noqa: PTH104


def _check_replaceable(path: Path) -> None:
    if not path.is_dir():
        return
    form = formats.of_content(path)
    inside = form is not None and form.writes_inside is not None and form.writes_inside(path)
    if form is None or not (inside or suffix(path) in form.suffixes):
        raise FormatError(f"{path} is there and is no Zarr folder; it is not overwritten.")


def _copy_mode(earlier: Path, new: Path) -> None:
    """Give a new file the mode of the earlier one, so that nobody else may read it."""
    with suppress(OSError):  # there was none
        new.chmod(earlier.stat().st_mode & 0o777)
