"""Print how much memory each classical entry takes beyond its input and its result.

    python benchmarks/memory.py                    # 32×512×512, uint16; a mask for cleanups
    python benchmarks/memory.py --only gaussian
    python benchmarks/memory.py --dtype float32 --shape 16,512,512

Each entry runs with its defaults, first on a small stack that loads its code. What was resident at
most during the second call, beyond what was there before and the result, is given per byte of
input, and next to it the seconds. Cleanups are given a mask and objects; entries of planes only
are given one plane of as many pixels.
"""

from __future__ import annotations

import argparse
import inspect
import os
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from stacks import stack
from timing import peak

from napari_segment.image import Image, Labels
from napari_segment.registry import Entry, Regridded, Result, cleanups, filters, methods
from napari_segment.results.measure import measure
from napari_segment.step import run

Data = dict[str, Any]
NETWORKS = ("network", "bioimageio", "dense_crf")  # as much as their settings say


def main() -> None:
    os.environ.setdefault("NAPARI_SEGMENT_THREADS", "2")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", default="32,512,512", help="planes,rows,columns")
    parser.add_argument("--dtype", default="uint16", help="of the image")
    parser.add_argument("--only", default="", help="entries whose kind and name hold this word")
    chosen = parser.parse_args()
    shape = tuple(map(int, chosen.shape.split(",")))
    print("| entry | input | memory | time |\n|---|---|---|---|")
    for title, call, make in calls(chosen.dtype):
        if chosen.only not in title:
            continue
        try:
            call(**make((min(6, shape[0]), 48, 64)))
            data = make(shape)
            start = time.perf_counter()
            memory, _ = peak(lambda call=call, data=data: call(**data))
            seconds = time.perf_counter() - start
        except Exception as error:  # a row for it, and on
            print(f"| {title} | {type(error).__name__}: {str(error)[:80]} | | |", flush=True)
            continue
        size = sum(a.nbytes for a in data.values() if isinstance(a, np.ndarray))
        given = ", ".join(f"{a.dtype}" for a in data.values() if isinstance(a, np.ndarray))
        print(f"| {title} | {given} | {memory / size:.2f}× | {seconds:.2f} s |", flush=True)


def calls(dtype: str) -> Iterator[tuple[str, Any, Any]]:
    """Titles, calls, and what makes their data for a shape."""
    for registry in (filters, methods):
        for name in registry:
            entry = registry[name]
            if name in NETWORKS:
                continue
            title = f"{entry.kind} {name}"
            yield title, _result_of(entry), lambda shape, e=entry: _image(e, shape, dtype)
    for name in cleanups:
        entry = cleanups[name]
        if name in NETWORKS:
            continue
        for holds in ("mask", "objects"):
            title = f"cleanups {name} {holds}"
            yield title, _result_of(entry), lambda shape, e=entry, h=holds: _labels(e, shape, h)
    yield "measure", _measured, lambda shape: {"labels": objects(shape), "image": stack(shape)}


def _result_of(entry: Entry) -> Any:
    def call(**data: Any) -> Any:
        result = entry(**data)
        result = run(result) if inspect.isgenerator(result) else result
        return result.array if isinstance(result, Regridded | Result) else result

    return call


def _image(entry: Entry, shape: tuple[int, ...], dtype: str) -> Data:
    image = stack(shape, dtype)
    if 3 not in entry.ndim:
        image = image.transpose(1, 0, 2).reshape(shape[1], -1)
    return {"image": image[None].copy() if entry.channels == "many" else image.copy()}


def mask(shape: tuple[int, ...]) -> np.ndarray:
    from scipy.ndimage import uniform_filter

    return uniform_filter(stack(shape).astype(np.float32), 3) > 11_000


def objects(shape: tuple[int, ...]) -> np.ndarray:
    labels = cleanups["connected_components"](mask(shape))
    return cleanups["remove_small"](labels, holds="objects").astype(np.uint16)


def _labels(entry: Entry, shape: tuple[int, ...], holds: str) -> Data:
    labels = mask(shape) if holds == "mask" else objects(shape)
    return {"labels": labels} | ({"holds": holds} if "holds" in entry.data else {})


def _measured(labels: np.ndarray, image: np.ndarray) -> Any:
    return measure(Labels(labels, holds="objects"), Image(image))


if __name__ == "__main__":
    main()
