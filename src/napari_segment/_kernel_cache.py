"""Choose the folder of compiled kernels on a machine where the usual ones are read-only."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path


def find_cache() -> None:
    """Give numba a folder for compiled code where it would find none.

    It stores what it compiled next to the source, else in the user's cache folder, and compiles
    nothing where both are closed to it: an installation that is read-only, and no home.
    """
    config = sys.modules.get("numba.core.config")  # reads the variable when it is imported
    given = os.environ.get("NUMBA_CACHE_DIR") or getattr(config, "CACHE_DIR", "")
    if sys.platform == "win32" or given or any(map(_can_write, _candidates())):
        return
    with suppress(OSError):  # not even a temporary folder: numba says what it misses
        folder = str(_temporary())
        os.environ["NUMBA_CACHE_DIR"] = folder
        if config is not None:
            config.CACHE_DIR = folder  # type: ignore[attr-defined]


def cache_folder() -> Path:
    """Return the folder under which numba stores what it compiles of this package."""
    given = os.environ.get("NUMBA_CACHE_DIR", "")
    return Path(given) if given else next(filter(_can_write, _candidates()), Path(__file__).parent)


def _candidates() -> list[Path]:
    """Return where numba looks: next to our source, then in the user's cache folder."""
    user = Path(os.path.expanduser("~"))  # noqa: PTH111 (a user without a home is no error)
    if sys.platform == "darwin":
        user = user / "Library" / "Caches"
    else:
        user = Path(os.environ.get("XDG_CACHE_HOME", user / ".cache"))
    return [Path(__file__).parent / "__pycache__", user / "numba"]


def _can_write(folder: Path) -> bool:
    from tempfile import TemporaryFile

    if not folder.is_absolute():  # a user without a home
        return False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _temporary() -> Path:
    """A folder that nobody else can have written to, as what lies in it will be run.

    The same one every time, unless somebody was there before.
    """
    from tempfile import gettempdir, mkdtemp

    folder = Path(gettempdir(), f"napari-segment-{os.geteuid()}")
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if _is_private(folder):
        return folder
    import atexit
    from shutil import rmtree

    folder = Path(mkdtemp(prefix="napari-segment-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    return folder


def _is_private(folder: Path) -> bool:
    status = folder.lstat()
    ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    return ours and not status.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
