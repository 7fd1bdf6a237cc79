"""Say what each loss costs compared with the default network: figures of docs/training.md.

    python benchmarks/losses.py
    python benchmarks/losses.py hausdorff boundary --rounds 5

Forward and backward on random blobs, in the number type that a training on this CPU takes. Losses
that measure distances get those of the target, as a training hands them over.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional

from napari_segment.deep.device import memory_format, precision
from napari_segment.deep.nn import losses as deep_losses
from napari_segment.deep.nn import models
from napari_segment.deep.training import MODEL
from napari_segment.registry import losses

CPU = torch.device("cpu")
CASES = ((2, 3, (40, 56, 40)), (2, 3, (64, 64, 64)), (4, 2, (256, 256)))


def costs(batch: int, classes: int, sides: tuple[int, ...], names: list[str], rounds: int) -> None:
    """Print milliseconds of the network and of each loss on one size."""
    whole = milliseconds(network(batch, classes, sides), rounds)
    logits, target = blobs(batch, classes, sides)
    print(f"{batch} patches of {sides}, {classes} classes: network {whole:.0f} ms")
    for name in names:
        loss = deep_losses.make(name)
        more = {}
        if hasattr(loss, "maps"):
            maps = [loss.maps(one.numpy()) for one in target]
            more["maps"] = torch.from_numpy(np.stack(maps))
            begun = time.perf_counter()
            for one in target:
                loss.maps(one.numpy())
            print(f"  maps of {name}, where they are not stored: {since(begun):.1f} ms")
        took = milliseconds(lambda: loss(logits, target, **more).backward(), rounds)  # noqa: B023
        print(f"  {name}: {took:.1f} ms, {took / (took + whole):.0%} of both")


def network(batch: int, classes: int, sides: tuple[int, ...]) -> Callable[[], None]:
    """Forward and backward of the default network, without a loss."""
    dtype = precision(CPU)
    layout = memory_format(len(sides), CPU, dtype)
    model = (MODEL.name, {**MODEL.settings, "patch": sides})
    net = models.build(model, 1, classes, len(sides)).train().to(memory_format=layout)
    image = torch.randn(batch, 1, *sides).to(memory_format=layout)

    def step() -> None:
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            logits = net(image)
        logits.float().square().mean().backward()

    return step


def blobs(batch: int, classes: int, sides: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of random blobs, and a smoother target near them."""
    torch.manual_seed(0)
    pool = functional.avg_pool2d if len(sides) == 2 else functional.avg_pool3d
    noise = torch.randn(batch, classes, *sides)
    answer = pool(noise, 9, 1, 4).max(1).indices
    target = functional.one_hot(answer, classes).movedim(-1, 1).float()
    return (pool(noise, 5, 1, 2) * 20).requires_grad_(), target


def milliseconds(call: Callable[[], object], rounds: int) -> float:
    """Median, without the first call."""
    took = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        call()
        took.append(since(begun))
    return float(np.median(took[1:]))


def since(begun: float) -> float:
    """Milliseconds since a moment."""
    return (time.perf_counter() - begun) * 1e3


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="losses; all if none is named")
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    for case in CASES:
        costs(*case, given.names or sorted(losses), given.rounds)
