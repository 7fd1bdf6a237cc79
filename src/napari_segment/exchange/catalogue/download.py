"""Download of a file: resumed where it was broken off, checked by its hash."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Generator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from napari_segment.distribution import version
from napari_segment.errors import FormatError, MissingError
from napari_segment.io.hashing import file_hash
from napari_segment.io.lock import locked
from napari_segment.io.models_folder import models_folder
from napari_segment.step import Step

_AT_ONCE = 2**18  # bytes
_ATTEMPTS = 5  # in a row that bring nothing new
_SECONDS = 20.0  # without an answer


def is_address(source: str) -> bool:
    """Return whether a source is an http(s) address."""
    return source.lower().startswith(("http://", "https://"))


def download(url: str, sha256: str = "") -> Generator[Step, None, Path]:
    """Download a file into a folder of its own below the folder of models.

    What has arrived stays there when the connection or the process ends; the same call continues
    it, if the server still has the same file.

    Parameters
    ----------
    url : str
        An http(s) address.
    sha256 : str
        Expected hash; "" to check none.

    Returns
    -------
    Path
        The file, alone in its folder.

    Raises
    ------
    MissingError
        If the server cannot be reached, or breaks off again and again.
    FormatError
        If the server has no such file, or its hash is another.
    """
    folder = models_folder() / ".downloads" / hashlib.sha256(url.encode()).hexdigest()[:16]
    with locked(folder, "another download"):
        partial, file = folder / "unfinished", folder / "done" / _file_name(url)
        if not file.is_file():
            yield from _complete(url, partial, folder / "tag")
            file.parent.mkdir(exist_ok=True)
            partial.replace(file)
        _check(file, url, sha256)
    return file


def _file_name(url: str) -> str:
    last = unquote(urlsplit(url).path).rpartition("/")[2]
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", last).lstrip(".-") or "model"


def _check(file: Path, url: str, sha256: str) -> None:
    if not sha256:
        return
    actual = file_hash(file).removeprefix("sha256:")
    if actual != sha256.lower().removeprefix("sha256:"):
        file.unlink()
        raise FormatError(
            f"The SHA-256 of {url} is {actual}, not {sha256}: it is damaged, or another file. "
            "Nothing was added."
        )


def _complete(url: str, partial: Path, tag: Path) -> Generator[Step, None, None]:
    """Ask for what is missing until all is there."""
    idle = 0
    while True:
        before = partial.stat().st_size if partial.exists() else 0
        try:
            done = yield from _continued(url, partial, tag)
        except urllib.error.HTTPError as error:
            raise FormatError(f"{url} cannot be downloaded: {error.code} {error.reason}.") from None
        except (OSError, http.client.HTTPException) as error:
            done, reason = False, str(getattr(error, "reason", error))
        else:
            reason = "the connection was broken off"
        if done:
            return
        after = partial.stat().st_size if partial.exists() else 0
        idle = 0 if after > before else idle + 1
        if idle >= _ATTEMPTS or (idle and not after):
            raise MissingError(
                f"{urlsplit(url).netloc} cannot be reached, or breaks off ({reason}). "
                f"{after:,} bytes have arrived; the same command continues. Without a network, "
                "download the file elsewhere and add it by its path."
            )


def _continued(url: str, partial: Path, tag: Path) -> Generator[Step, None, bool]:
    """Append what one answer brings; return whether the file is complete."""
    have = partial.stat().st_size if partial.exists() else 0
    known = tag.read_text("utf-8") if tag.exists() else ""
    request = urllib.request.Request(url, headers=_headers(have, known))
    try:
        response = urllib.request.urlopen(request, timeout=_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        partial.unlink(missing_ok=True)  # the file is another now: from the beginning
        return False
    with contextlib.closing(response):
        continues = response.status == 206
        have = have if continues else 0
        total = have + int(response.headers.get("Content-Length") or 0)
        mark = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
        tag.write_text(mark, "utf-8")
        yield from _received(response, partial, "ab" if continues else "wb", have, total)
    size = partial.stat().st_size
    return size == total or not response.headers.get("Content-Length")


def _headers(have: int, known: str) -> dict[str, str]:
    headers = {"User-Agent": f"napari-segment/{version()}", "Accept-Encoding": "identity"}
    if have and known:  # without a mark a changed file could not be told
        headers |= {"Range": f"bytes={have}-", "If-Range": known}
    return headers


def _received(
    response: Any, partial: Path, mode: str, have: int, total: int
) -> Generator[Step, None, None]:
    with partial.open(mode) as stream:
        while block := response.read(_AT_ONCE):
            stream.write(block)
            have += len(block)
            yield Step(have, max(total, have), "downloading")
