"""Time from a stroke to the classes of the plane in view, 2048 × 2048 of 16 bits, one channel.

Run alone: ``python benchmarks/live_classifier.py``. Prints the time of the first answer, for which
features are computed, and after further strokes of what is in view at a screen's resolution, and
of the whole.
"""

from __future__ import annotations

import time

import numpy as np

from napari_segment import samples
from napari_segment.classical.classifier.live import LiveClassifier, Painted
from napari_segment.classical.classifier.training import LabelledImage

SIDE, STROKES, RADIUS = 2048, 12, 4


def main() -> None:
    image, labels = samples.nuclei((SIDE, SIDE), seed=3)
    pixels = np.asarray(image.data).astype(np.uint16)
    truth = np.asarray(labels.data) > 0
    strokes = np.zeros(pixels.shape, np.int32)
    rng = np.random.default_rng(0)
    classifier = LiveClassifier(background=1)
    for turn in range(6):
        for _ in range(STROKES if turn == 0 else 1):
            stroke(strokes, truth, rng)
        case = LabelledImage("a", pixels[None], strokes.copy(), image.spacing, image.unit, ("",))
        painted = Painted(case, 0, 0, (slice(None), slice(None)))
        started = time.perf_counter()
        times = [time.perf_counter() - started for _ in classifier.classify(painted)]
        print(f"turn {turn}: in view {times[0]:.3f} s, whole {times[-1]:.3f} s")


def stroke(strokes: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> None:
    """Paint a line of 60 pixels with a brush: each pixel takes the class that it truly has."""
    y, x = rng.integers(RADIUS, SIDE - 70, 2)
    part = (slice(y, y + 2 * RADIUS), slice(x, x + 60))
    strokes[part] = 1 + truth[part]


if __name__ == "__main__":
    main()
