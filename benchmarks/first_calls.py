"""Print what the first call of each classical entry costs, before and after its code is compiled.

    python benchmarks/first_calls.py
    python benchmarks/first_calls.py --only split_touching --size 64 512 512
    python benchmarks/first_calls.py --size 512 512 --above 1.5
    python benchmarks/first_calls.py --size 64 512 512 --compiled

Each entry is called with its default settings on a uint16 image in a fresh process that has
imported the package, as the worker of the window has: with an empty cache of compiled code, with
what that left, and again in the same process. Seconds of processor time, which other programs
hardly change; seconds of the clock in parentheses. With --compiled all has been compiled in advance
and numba imported before the call, as in the worker of a window that was idle for a while.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

SETTINGS: dict[str, dict[str, Any]] = {"dense_crf": {"iterations": 1}}
MODELS = ("classifier", "network", "onnx", "bioimageio")
ABORT = 300.0  # seconds after which an entry is not waited for


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="entries whose name holds this word")
    parser.add_argument("--size", type=int, nargs="+", default=[512, 512], help="of the image")
    parser.add_argument("--above", type=float, default=0.0, help="list only those of more seconds")
    parser.add_argument("--call", nargs=2, help="only call this entry of this registry, here")
    parser.add_argument("--compiled", action="store_true", help="list calls of what is compiled")
    chosen = parser.parse_args()
    if chosen.compiled and not chosen.call:
        _list_compiled(chosen)
        return
    if chosen.compiled:
        import numba  # noqa: F401
    if chosen.call:
        print(*_calls(*chosen.call, tuple(chosen.size)))
        return
    print("| entry | nothing compiled yet | afterwards | again |\n|---|---|---|---|")
    for kind, name in _entries():
        if chosen.only in name:
            with tempfile.TemporaryDirectory() as cache:
                cold, again = _in_new_process(kind, name, chosen.size, cache)
                warm, _ = _in_new_process(kind, name, chosen.size, cache)
            if cold[0] >= chosen.above:
                cells = (f"{cpu:.1f} ({clock:.1f})" for cpu, clock in (cold, warm, again))
                print(f"| `{name}` ({kind}) | {' | '.join(cells)} |", flush=True)


def _list_compiled(chosen: argparse.Namespace) -> None:
    print("| entry | first call of a process | again |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as cache:
        env = {**os.environ, "NUMBA_CACHE_DIR": cache}
        command = [sys.executable, "-m", "napari_segment.cli", "compile"]
        subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
        for kind, name in _entries():
            if chosen.only in name:
                first, again = _in_new_process(kind, name, chosen.size, cache, "--compiled")
                if first[0] >= chosen.above:
                    cells = (f"{cpu:.1f} ({clock:.1f})" for cpu, clock in (first, again))
                    print(f"| `{name}` ({kind}) | {' | '.join(cells)} |", flush=True)


def _entries() -> list[tuple[str, str]]:
    from napari_segment.registry import cleanups, filters, methods

    known = {"methods": methods, "filters": filters, "cleanups": cleanups}
    return [(kind, e.name) for kind, r in known.items() for e in r.values() if e.name not in MODELS]


Seconds = tuple[float, float]


def _in_new_process(
    kind: str, name: str, size: list[int], cache: str, *flags: str
) -> tuple[Seconds, Seconds]:
    """Return processor and clock seconds of a first and of a second call."""
    command = [sys.executable, __file__, "--call", kind, name, *flags, "--size", *map(str, size)]
    try:
        done = subprocess.run(
            command, env={**os.environ, "NUMBA_CACHE_DIR": cache}, capture_output=True, text=True,
            check=True, timeout=ABORT,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return (ABORT, ABORT), (ABORT, ABORT)
    except subprocess.CalledProcessError as error:
        print(name, error.stderr.splitlines()[-1], file=sys.stderr)
        return (float("nan"),) * 2, (float("nan"),) * 2
    a, b, c, d = map(float, done.stdout.split())
    return (a, b), (c, d)


def _calls(kind: str, name: str, size: tuple[int, ...]) -> tuple[float, ...]:
    """Seconds of processor time and of the clock, of the first call and of the second."""
    from napari_segment import registry
    from napari_segment.registry import load_plugins

    load_plugins()
    entry = getattr(registry, kind)[name]
    data = {key: value for key, value in _data(size).items() if key in entry.data}
    if name == "channels":
        data["image"] = data["image"][None]
    first = _seconds(entry, data, SETTINGS.get(name, {}))
    return *first, *_seconds(entry, data, SETTINGS.get(name, {}))


def _data(size: tuple[int, ...]) -> dict[str, Any]:
    """Discs or balls of two brightnesses with noise, the mask of them, and markers."""
    import numpy as np

    rng = np.random.default_rng(0)
    grid = np.ogrid[tuple(slice(n) for n in size)]
    far = sum(((g % 40) - 20.0) ** 2 for g in grid)
    image = np.where(far < 150, 800, 200) + rng.integers(0, 100, size)
    mask, markers = far < 150, np.where(far < 4, 1, 0) + np.where(far > 350, 2, 0)
    return {"image": image.astype(np.uint16), "labels": mask, "markers": markers.astype(np.uint8)}


def _seconds(entry: Any, data: dict[str, Any], settings: dict[str, Any]) -> Seconds:
    from napari_segment.step import run

    cpu, clock = time.process_time(), time.perf_counter()
    result = entry(**data, **settings)
    if hasattr(result, "send"):
        run(result)
    return time.process_time() - cpu, time.perf_counter() - clock


if __name__ == "__main__":
    main()
