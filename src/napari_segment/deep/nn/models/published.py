"""Files of weights against the hashes that their publishers name."""

from __future__ import annotations

import re
from pathlib import Path

from napari_segment.errors import FormatError


def verified(file: Path, digest: str) -> Path:
    """Return a file of weights whose SHA-256 is that which its publisher names.

    Parameters
    ----------
    file : Path
        Downloaded, now or earlier.
    digest : str
        The hash in hexadecimal digits, or how it begins.

    Raises
    ------
    FormatError
        If it is another: the file is damaged, or not the one that was published.
    """
    import hashlib

    with file.open("rb") as stream:
        actual = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest and not actual.startswith(digest):
        raise FormatError(
            f"{file} is not the file of weights that was published: its SHA-256 begins with "
            f"{actual[: len(digest)]}, but that should be {digest}. Delete it, and it is "
            "downloaded again."
        )
    return file


def published_digest(url: str) -> str:
    """Return how the SHA-256 of a file of torchvision begins, which stands in its name.

    Examples
    --------
    >>> published_digest("https://download.pytorch.org/models/resnet50-11ad3fa6.pth")
    '11ad3fa6'
    """
    match = re.search(r"-([0-9a-f]{8,64})\.[a-z]+$", url)
    return match[1] if match else ""
