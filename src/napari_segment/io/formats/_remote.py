"""Zarr at a URL, through fsspec."""

from __future__ import annotations

import os
from typing import Any

from napari_segment.errors import FormatError, MissingError

_ACCOUNTS = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE")


def open_url(url: str) -> Any:
    """Open a Zarr array or group at a URL, to read.

    Parameters
    ----------
    url : str
        With ``http``, ``https``, ``s3``, ``gs`` or ``az``. An S3 bucket is read without an account
        unless the environment names one (``AWS_ACCESS_KEY_ID``, ``AWS_PROFILE``).

    Raises
    ------
    MissingError
        If the package for the protocol is not installed.
    FormatError
        If there is no Zarr at the URL.
    """
    import zarr

    anonymous = not any(os.environ.get(name) for name in _ACCOUNTS)
    options = {"anon": anonymous} if url.startswith("s3:") else {}
    try:
        return zarr.open(url, mode="r", storage_options=options or None)
    except ImportError:
        raise MissingError(
            f"{url} needs a package for its protocol: pip install 'napari-segment[remote]'."
        ) from None
    except (FileNotFoundError, PermissionError):
        raise FormatError(
            f"{url} is no Zarr array or group, or cannot be reached. Check the address and, of a "
            "bucket that is not public, the account."
        ) from None
