"""Memory that is given back to the system where it is not used for a while (torch, Linux)."""

from __future__ import annotations

import mmap
import sys
from itertools import product
from math import prod

import torch

_WORTH = 16 * mmap.PAGESIZE  # shorter runs are not given back
_FLOAT = 4


def can_lend() -> bool:
    """Whether the system takes back single pages and gives them anew full of zeros."""
    return sys.platform == "linux"


class Lent:
    """A tensor of zeros (float32), of which cleared parts take no memory until written again.

    Parameters
    ----------
    shape : tuple of int
        Of the tensor.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        self.pages = mmap.mmap(-1, prod(shape) * _FLOAT, flags=flags)
        self.pages.madvise(mmap.MADV_NOHUGEPAGE)  # a large page is taken and given back whole
        self.tensor = torch.frombuffer(self.pages, dtype=torch.float32).reshape(shape)

    def clear(self, where: tuple[slice, ...]) -> None:
        """Set a part to zero and give its pages back."""
        self.tensor[where] = 0
        shape = self.tensor.shape
        ranges = [range(*w.indices(n)) for w, n in zip(where, shape, strict=True)]
        last = max(a for a, r in enumerate(ranges) if len(r) < shape[a] or a == 0)
        inner = prod(shape[last + 1 :]) * _FLOAT
        length = len(ranges[last]) * inner
        if length < _WORTH:
            return
        for index in product(*ranges[:last]):
            begin = 0
            for i, n in zip((*index, ranges[last].start), shape, strict=False):
                begin = begin * n + i
            self._give_back(begin * inner, length)

    def _give_back(self, begin: int, length: int) -> None:
        """The whole pages inside; the rest of its first and last page stays as it is."""
        page = mmap.PAGESIZE
        first, end = -(-begin // page) * page, (begin + length) // page * page
        if end > first:
            self.pages.madvise(mmap.MADV_DONTNEED, first, end - first)
