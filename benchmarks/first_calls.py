"""Print what the first call of an entry costs, before and after its code is compiled.

    python benchmarks/first_calls.py
    python benchmarks/first_calls.py --only split_touching

Each entry runs on a small uint16 stack in a fresh process, first with an empty cache of compiled
code, then with what that left behind. Seconds of processor time of the call, which compiles and
imports; seconds of the clock in parentheses.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time

ENTRIES = (
    "otsu", "multi_otsu", "kmeans", "gaussian", "median", "sobel", "sauvola", "canny",
    "total_variation", "watershed", "connected_components", "fill_holes", "split_touching",
    "measure",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="entries whose name holds this word")
    parser.add_argument("--call", default="", help="only call this entry, in this process")
    chosen = parser.parse_args()
    if chosen.call:
        print(*_first_call(chosen.call))
        return
    print("| entry | nothing compiled yet | afterwards |\n|---|---|---|")
    for name in ENTRIES:
        if chosen.only in name:
            with tempfile.TemporaryDirectory() as cache:
                cold, warm = _in_new_process(name, cache), _in_new_process(name, cache)
            print(f"| `{name}` | {cold} | {warm} |", flush=True)


def _in_new_process(name: str, cache: str) -> str:
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
    command = [sys.executable, __file__, "--call", name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    cpu, clock = map(float, done.stdout.split())
    return f"{cpu:.1f} ({clock:.1f})"


def _first_call(name: str) -> tuple[float, float]:
    """Seconds of processor time, and of the clock."""
    import numpy as np

    from napari_segment.image import Image, Labels
    from napari_segment.registry import cleanups, filters, load_plugins, methods

    load_plugins()
    image = np.random.default_rng(0).integers(0, 1000, (12, 48, 48)).astype(np.uint16)
    mask = np.zeros(image.shape, bool)
    mask[2:9, 3:20, 3:20] = mask[2:9, 15:40, 15:40] = True
    cpu, clock = time.process_time(), time.perf_counter()
    if name == "measure":
        from napari_segment.results.measure import measure

        measure(Labels(mask.astype(np.uint16)), Image(image))
    elif name in cleanups:
        cleanups[name](mask)
    else:
        (methods if name in methods else filters)[name](image)
    return time.process_time() - cpu, time.perf_counter() - clock


if __name__ == "__main__":
    main()
