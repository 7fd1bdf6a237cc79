"""Small trainings of seconds."""

import numpy as np

from napari_segment.deep.training import train
from napari_segment.image import Image, Labels

TINY = ("unet", {"features": (4, 8), "residual_units": 0})


def discs(count=6, shape=(40, 48), values=(3, 7), seed=0):
    """Bright discs of two classes, each as bright as its class."""
    rng = np.random.default_rng(seed)
    pairs = []
    for i in range(count):
        labels = np.zeros(shape, np.uint8)
        grid = np.ogrid[tuple(slice(n) for n in shape)]
        for k, value in enumerate(values):
            middle = [rng.uniform(8, n - 8) for n in shape[-2:]]
            middle = [shape[0] / 2, *middle] if len(shape) == 3 else middle
            far = sum((g - m) ** 2 for g, m in zip(grid, middle, strict=True))
            labels[far < 49] = value
            del k
        bright = np.select([labels == v for v in values], [60, 120][: len(values)], 0)
        image = (bright + rng.normal(0, 10, shape)).astype(np.float32)
        pairs.append(
            (Image(image, name=f"case {i}"), Labels(labels, holds="classes", names={3: "small"}))
        )
    return pairs


def short(pairs, out, **settings):
    """A training of seconds; steps and their checkpoint."""
    settings = {
        "model": TINY, "epochs": 2, "steps": 6, "batch": 4, "device": "cpu", "workers": 0,
        "lr": 0.01, **settings,
    }  # fmt: skip
    steps, work = [], train(pairs, out=out, **settings)
    while True:
        try:
            steps.append(next(work))
        except StopIteration as stop:
            return steps, stop.value


def losses_of(steps):
    return [s.numbers["loss"] for s in steps if "loss" in s.numbers and "dice" not in s.numbers]
