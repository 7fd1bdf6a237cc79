"""Files: time and memory of streaming a Dask stack to disk and back, and of reading eagerly.

Run with ``python benchmarks/files.py [MIB]``; each row runs in a process of its own, so that the
peak memory is that row's.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np

from napari_segment import io
from napari_segment.image import Image

SUFFIXES = (".tif", ".ome.tif", ".ome.zarr", ".nii", ".nii.gz")


def stack(planes: int) -> Any:
    """A lazy stack of smooth 16-bit noise, 2 MiB a plane, 16 planes a block."""

    def block(block_info: Any = None) -> Any:
        shape = block_info[None]["chunk-shape"]
        rng = np.random.default_rng(block_info[None]["chunk-location"][0])
        walk = rng.integers(-20, 21, shape, dtype=np.int16).cumsum(2, dtype=np.int16)
        return (walk + 2000).astype(np.uint16)

    chunks = ((16,) * (planes // 16), (1024,), (1024,))
    return da.map_blocks(block, chunks=chunks, dtype=np.uint16, meta=np.empty((0, 0, 0), np.uint16))


def peak() -> float:
    """Largest memory of this process so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that a call takes, and what it gives."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def row(suffix: str, planes: int) -> str:
    """One format: write lazily, read lazily (a maximum), read into memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        warm = Image(np.zeros((4, 64, 64), np.uint16), "ZYX")
        io.read(io.write(warm, Path(folder) / f"warm{suffix}"), lazy=True).data.max().compute()
        before = peak()
        image = Image(stack(planes), "ZYX", (2, 0.5, 0.5), "micrometer")
        write, _ = timed(lambda: io.write(image, path))
        lazy, _ = timed(lambda: io.read(path, lazy=True).data.max().compute())
        streaming = peak() - before
        read, result = timed(lambda: io.read(path))
        size = result.data.nbytes / 2**20
    rates = " | ".join(f"{size / seconds:.0f}" for seconds in (write, lazy, read))
    return f"| `{suffix}` | {rates} | {streaming:.0f} |"


def main() -> None:
    """Print the table."""
    if len(sys.argv) == 3:
        print(row(sys.argv[1], int(sys.argv[2])))
        return
    planes = int(sys.argv[1]) // 2 // 16 * 16 if len(sys.argv) > 1 else 128
    print(f"A stack of {planes} × 1024 × 1024, uint16, {2 * planes} MiB, in blocks of 32 MiB\n")
    print("| format | written, MiB/s | read lazily, MiB/s | read, MiB/s | peak of streaming, MiB |")
    print("|---|---|---|---|---|")
    for suffix in SUFFIXES:
        subprocess.run([sys.executable, __file__, suffix, str(planes)], check=True)


if __name__ == "__main__":
    main()
