"""Print how fast training, prediction and classical methods are next to busy processes.

    python benchmarks/busy.py
    python benchmarks/busy.py --only training --seconds 4 --rounds 5

Two processes do the same work in turns, one with the settings of `configure_runtime` and one
without. Alone the best turn counts, as other programs of the machine only make it worse; next to
busy processes the median. The fair share of the rate alone, next to N busy processes of one thread
each, is cores / (cores + N).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median

BUSY = (0, 1, 2, 4)
SPIN = "while True: pass"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="works whose name holds this word")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a turn")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each process")
    parser.add_argument("--work", default="", help="only serve this work, in this process")
    chosen = parser.parse_args()
    if chosen.work:
        _serve(WORKS[chosen.work])
        return
    print("| work, per second | settings | alone | share next to 1 | next to 2 | next to 4 |")
    print("|---|---|---|---|---|---|")
    for name in WORKS:
        if chosen.only in name:
            _rows(name, chosen.seconds, chosen.rounds)


def _rows(name: str, seconds: float, rounds: int) -> None:
    """Measure one work with and without the settings, next to so many busy processes."""
    with ExitStack() as stack:
        contenders = {
            label: stack.enter_context(_process([__file__, "--work", name], switch))
            for label, switch in (("libraries' own", "0"), ("ours", "1"))
        }
        rates = {label: [] for label in contenders}
        for busy in BUSY:
            with ExitStack() as others:
                for _ in range(busy):
                    others.enter_context(_process(["-c", SPIN], "0"))
                taken = {label: [] for label in contenders}
                for _ in range(rounds):
                    for label, process in contenders.items():
                        taken[label].append(_rate(process, seconds))
            for label, values in taken.items():
                rates[label].append(median(values) if busy else max(values))
    for label, (alone, *shared) in rates.items():
        shares = [r / (alone * _fair(n)) for r, n in zip(shared, BUSY[1:], strict=True)]
        cells = " | ".join(f"{share:.0%}" for share in shares)
        print(f"| {name} | {label} | {alone:.2f} | {cells} |", flush=True)


def _fair(busy: int) -> float:
    """Return the share of the cores that as many threads as cores get."""
    cores = len(os.sched_getaffinity(0))
    return cores / (cores + busy)


class _process:  # noqa: N801 - a context manager
    """A Python process, ended when the context ends."""

    def __init__(self, arguments: list[str], switch: str) -> None:
        environment = {k: v for k, v in os.environ.items() if k != "GOMP_SPINCOUNT"}
        self.process = subprocess.Popen(
            [sys.executable, *arguments], env={**environment, "NAPARI_SEGMENT_RUNTIME": switch},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> subprocess.Popen[str]:
        return self.process

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def _rate(process: subprocess.Popen[str], seconds: float) -> float:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{seconds}\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def _serve(make: Callable[[], Callable[[], object]]) -> None:
    """Work for as long as each line of the input says, and print the rate."""
    from napari_segment import configure_runtime

    configure_runtime()
    work = make()
    work()
    for line in sys.stdin:
        begun, count = time.perf_counter(), 0
        while time.perf_counter() - begun < float(line):
            work()
            count += 1
        print(count / (time.perf_counter() - begun), flush=True)


# ---- works ----


def _training() -> Callable[[], object]:
    """One update of a 3-D U-Net on two patches."""
    import torch

    from napari_segment.deep.nn import models
    from napari_segment.recipe import Spec

    network = models.build(Spec(name="unet", settings={"features": (16, 32, 64)}), 1, 2, 3)
    optimizer = torch.optim.AdamW(network.parameters())
    images = torch.randn(2, 1, 40, 56, 40)
    target = (images[:, 0] > 0).long()

    def update() -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(images), target).backward()
        optimizer.step()

    return update


def _prediction() -> Callable[[], object]:
    """Predict 8 planes with a 2-D U-Net."""
    import numpy as np
    import torch

    from napari_segment.deep.inference import predict
    from napari_segment.deep.nn import models
    from napari_segment.recipe import Spec
    from napari_segment.step import run

    torch.manual_seed(0)
    network = models.build(Spec(name="unet", settings={"features": (16, 32, 64)}), 1, 2, 2).eval()
    image = np.random.default_rng(0).normal(size=(1, 8, 256, 256)).astype(np.float32)
    return lambda: run(predict(network, image, tile=(256, 256)))


def _classical(name: str) -> Callable[[], object]:
    import numpy as np

    from napari_segment.registry import cleanups, filters, methods

    rng = np.random.default_rng(0)
    image = rng.integers(0, 1000, (32, 256, 256)).astype(np.uint16)
    if name in cleanups:
        image = image > 950
    entry = next(registry[name] for registry in (methods, filters, cleanups) if name in registry)
    return lambda: _done(entry(image))


def _done(result: object) -> object:
    from napari_segment.step import run

    return run(result) if hasattr(result, "send") else result


def _matrices() -> Callable[[], object]:
    """Matrix products of NumPy with pauses between them, as in principal components."""
    import numpy as np

    matrix = np.random.default_rng(0).normal(size=(400, 400))

    def work() -> None:
        for _ in range(10):
            matrix @ matrix
            sum(range(10_000))

    return work


WORKS: dict[str, Callable[[], Callable[[], object]]] = {
    "training, 3-D U-Net": _training,
    "prediction, 2-D U-Net": _prediction,
    **{
        name: lambda name=name: _classical(name)
        for name in ("gaussian", "otsu", "sobel", "canny", "split_touching", "median", "clahe")
    },
    "matrix products": _matrices,
}

if __name__ == "__main__":
    main()
