"""Draw random numbers without touching the generators of the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import device as Device  # noqa: N812


@contextmanager
def own_random_numbers(seed: int | None = None, device: Device | None = None) -> Iterator[None]:
    """Leave PyTorch's random numbers of the process as they are, whatever is drawn in here.

    Parameters
    ----------
    seed : int, optional
        What the numbers in here follow from.
    device : torch.device, optional
        Whose numbers are left too, if it has some of its own; default the CPU's alone.
    """
    import torch

    others = [device] if device is not None and device.type == "cuda" else []
    with torch.random.fork_rng(others):
        if seed is not None:
            torch.manual_seed(seed)
        yield
