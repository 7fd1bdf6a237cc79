"""Work of Dask on a cluster that the command line names."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager

from napari_segment.errors import MissingError


@contextmanager
def cluster(address: str) -> Iterator[None]:
    """Let Dask arrays run on a cluster, if an address was given."""
    if not address:
        yield
        return
    try:
        from distributed import Client
        from distributed.comm import resolve_address
    except ImportError:
        raise MissingError(
            "--scheduler needs Dask's cluster client: pip install distributed."
        ) from None
    try:  # a default client that failed would still be asked
        resolve_address(address)  # a client that fails for this cannot be closed
        Client(address, timeout="10s", set_as_default=False).close()
    except (OSError, ValueError) as error:
        raise MissingError(f"No Dask scheduler answers at {address}: {error}") from None
    with Client(address, timeout="10s") as client:
        if not client.scheduler_info()["workers"]:
            print(f"The Dask cluster at {address} has no workers yet: waiting.", file=sys.stderr)
        with _what_clusters_say(address):
            yield


@contextmanager
def _what_clusters_say(address: str) -> Iterator[None]:
    """Say what is amiss with a cluster as it ends the work."""
    try:
        yield
    except FileNotFoundError as error:
        raise MissingError(
            f"{error.filename or error} is not there for a worker of {address}. The workers of a "
            "cluster must see the same files, under the same paths, as this program."
        ) from error
    except CancelledError as error:
        raise MissingError(
            f"The Dask scheduler at {address} was lost before the work was done. Start it, and "
            "run this again."
        ) from error
