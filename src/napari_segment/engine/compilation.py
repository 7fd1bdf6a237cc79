"""Compile what the classical entries need in advance, so that no first call waits for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment._kernel_cache import cache_folder
from napari_segment.engine.execute import apply
from napari_segment.errors import InputError, SegmentError
from napari_segment.image import Image, Stack
from napari_segment.recipe import Recipe
from napari_segment.registry import Entry, cleanups, filters, methods
from napari_segment.step import Step, run

NOTE = "napari-segment-compiled.json"
TRAINED = ("classifier", "network")  # groups of methods that need a model
SETTINGS: dict[str, dict[str, Any]] = {
    "manual": {"value": 100}, "levels": {"thresholds": [60, 100]}, "dense_crf": {"iterations": 1},
    "range": {"low": 60, "high": 100}, "hysteresis": {"low": 60, "high": 100},
    "chan_vese": {"iterations": 2}, "geodesic_contours": {"iterations": 2},
}  # fmt: skip
# What most first runs are made of comes first.
FIRST = ("otsu", "gaussian", "median", "connected_components", "remove_small", "fill_holes",
         "split_touching", "canny", "watershed", "kmeans")  # fmt: skip
# Of images, with pixels from a spot to the next: fewer than 256 objects in some, more in others.
PERIODS: dict[type, int] = {np.uint8: 40, np.uint16: 12, np.float32: 12}
SHAPES = ((384, 512), (12, 128, 128))  # more than what NumPy does without compiled code


def is_compiled() -> bool:
    """Return whether `compile_kernels` ran here with these sources, this compiler and processor."""
    with suppress(OSError, ValueError):
        return bool(json.loads(_note().read_text("utf-8")) == _key())
    return False


def compile_kernels() -> int:
    """Compile what the classical entries need in advance, so that no first call waits for it.

    Each is called on small images of unsigned integers of 8 and 16 bits and of floats, of 2 and 3
    dimensions. The code is stored on disk, for this machine and these versions.

    Returns
    -------
    int
        How many calls were made.
    """
    return run(compile_kernels_steps())


def compile_kernels_steps() -> Generator[Step, None, int]:
    """Call each classical entry on small images of the usual types; the code stays on disk.

    Yields
    ------
    Step
        One for each call.

    Returns
    -------
    int
        How many calls were made.
    """
    calls = list(_calls())
    for done, (entry, dtype, shape) in enumerate(calls):
        yield Step(done, len(calls), f"compiling {entry.title}")
        with suppress(SegmentError, MemoryError):  # a plug-in's, or one of other dimensions
            _run(entry, dtype, shape)
    with suppress(OSError):  # a cache in a folder that cannot be written is compiled once more
        _note().write_text(json.dumps(_key()), "utf-8")
    return len(calls)


def _calls() -> Iterator[tuple[Entry, type, tuple[int, ...]]]:
    entries = [e for e in methods.values() if e.group not in TRAINED]
    entries += [e for e in (*filters.values(), *cleanups.values()) if e.name != "classify_objects"]
    entries = [e for e in entries if e.source.startswith("napari_segment.")]
    order = {name: index for index, name in enumerate(FIRST)}
    for dtype in PERIODS:
        for shape in SHAPES:
            for entry in sorted(entries, key=lambda e: order.get(e.name, len(order))):
                if len(shape) in entry.ndim:
                    yield entry, dtype, shape


def _run(entry: Entry, dtype: type, shape: tuple[int, ...]) -> None:
    """Call an entry within recipes, as all interfaces do; a cleanup on a mask and on objects."""
    pixels, near = _spots(shape, PERIODS[dtype])
    image = Image(pixels.astype(dtype))
    spec = entry.spec(SETTINGS.get(entry.name, {}))
    method = spec if entry.kind == "methods" else methods["manual"].spec({"value": 100})
    markers = {"markers": Stack(near, image.axes)} if "markers" in entry.data else {}
    if entry.channels == "many" and entry.kind == "methods":  # of one channel they do otherwise
        several: NDArray[Any] = np.stack([pixels, pixels // 2, pixels[..., ::-1]]).astype(dtype)
        run(apply(Recipe(method=spec), Image(several, f"C{image.axes}"), {}))
    number = cleanups["connected_components"].spec()
    for before in ((), (number,)) if entry.kind == "cleanups" else ((),):
        recipe = Recipe(
            method=method,
            filters=(spec,) if entry.kind == "filters" else (),
            cleanups=(*before, spec) if entry.kind == "cleanups" else (),
        )
        with suppress(InputError) if before else nullcontext():  # one may take no objects
            run(apply(recipe, image, markers if entry.kind == "methods" else {}))


def _spots(shape: tuple[int, ...], period: int) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Return discs or balls with noise, and markers: 1 in their centres, 2 far from them."""
    grid = np.ogrid[tuple(slice(n) for n in shape)]
    far = sum((((g % period) - period / 2) / period) ** 2 for g in grid)
    noise = np.random.default_rng(0).integers(0, 30, shape)
    near = np.where(far < 0.02, 1, 0) + np.where(far > 0.4, 2, 0)
    return np.where(far < 0.1, 200, 50) + noise, near.astype(np.uint8)


# ---- what has been compiled ----


def _note() -> Path:
    return cache_folder() / NOTE


def _key() -> dict[str, str]:
    """Return what compiled code depends on: our sources, the compiler and the processor."""
    import numba
    from numba.core.registry import cpu_target

    package = Path(__file__).resolve().parents[1]
    states = hashlib.sha256()
    for file in sorted(package.rglob("*_kernels.py")):
        status = file.stat()
        states.update(f"{file} {status.st_size} {status.st_mtime_ns}\n".encode())
    triple, name, features = cpu_target.target_context.codegen().magic_tuple()
    states.update(features.encode())
    processor = f"{triple} {name}"
    return {"sources": states.hexdigest(), "numba": numba.__version__, "processor": processor}
