"""Zarr at a URL, through fsspec."""

from __future__ import annotations

from typing import Any

from napari_segment.errors import FormatError, MissingError


def open_url(url: str) -> Any:
    """Open a Zarr array or group at a URL, to read.

    Parameters
    ----------
    url : str
        With ``http``, ``https``, ``s3``, ``gs`` or ``az``; a bucket that is public needs no
        account.

    Raises
    ------
    MissingError
        If the package for the protocol is not installed.
    FormatError
        If there is no Zarr at the URL.
    """
    import zarr

    options = {"anon": True} if url.startswith("s3:") else {}
    try:
        return zarr.open(url, mode="r", storage_options=options or None)
    except ImportError:
        raise MissingError(
            f"{url} needs a package for its protocol: pip install 'napari-segment[remote]'."
        ) from None
    except FileNotFoundError:
        raise FormatError(
            f"{url} is no Zarr array or group, or cannot be reached. Check the address."
        ) from None
