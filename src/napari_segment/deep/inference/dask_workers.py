"""Workers of the Dask cluster that this process is a client of."""

from __future__ import annotations

import sys


def worker_addresses() -> list[str]:
    """Return the addresses of the workers of this process's Dask client; none without a client.

    A process that is a worker itself has none.
    """
    if "distributed" not in sys.modules:
        return []
    from distributed import default_client, get_worker

    try:
        get_worker()
    except ValueError:
        pass
    else:
        return []
    try:
        return list(default_client().scheduler_info(n_workers=-1)["workers"])
    except ValueError:
        return []
