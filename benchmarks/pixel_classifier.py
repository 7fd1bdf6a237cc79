"""The pixel classifier beside a script of scikit-image and scikit-learn that does the same.

Run alone: ``python benchmarks/pixel_classifier.py [--planes 64] [--quality]``. Both run in one
process in turns, with two threads, on the same strokes with as many trees. With ``--quality`` the
strokes of about a minute's work, drawn from the reference, are painted on one image of
``NAPARI_SEGMENT_DATA/dsb2018``, and other images are scored; and likewise on one plane of the
ovules.
"""

from __future__ import annotations

import argparse
import inspect
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import napari_segment as ns
from napari_segment import samples
from napari_segment.classical.classifier.features import FeatureSet, feature_table
from napari_segment.step import run

SCALES = (1.0, 2.0, 4.0, 8.0)
SAME = ("gaussian", "gradient", "hessian")  # what scikit-image offers too
TREES, THREADS = 100, 2


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--planes", type=int, default=64)
    parser.add_argument("--quality", action="store_true")
    options = parser.parse_args()
    speed(options.planes)
    if options.quality:
        quality()


def speed(planes: int) -> None:
    """Features, prediction, and the whole of a stack."""
    from skimage.feature import multiscale_basic_features
    from sklearn.ensemble import RandomForestClassifier

    image, labels = samples.cells((planes, 512, 512), seed=1)
    pixels = np.asarray(image.data, np.float32)
    marks = strokes(np.asarray(labels.data) > 0, count=2000)
    features = FeatureSet(SCALES, SAME)
    steps = (1.0,) * 3
    part = pixels[: min(16, planes)]

    known = inspect.signature(multiscale_basic_features).parameters
    workers = {"workers" if "workers" in known else "num_workers": THREADS}

    def of_skimage(array: NDArray[np.float32]) -> NDArray[np.float32]:
        return multiscale_basic_features(array, sigma_min=1, sigma_max=8, num_sigma=4, **workers)

    times = in_turns(lambda: feature_table(part[None], steps, features), lambda: of_skimage(part))
    say(f"features, {part.shape}", times)
    table = feature_table(part[None], steps, features)
    marked = marks[: len(part)].reshape(-1)
    forest = RandomForestClassifier(TREES, n_jobs=THREADS, random_state=0)
    forest.fit(table[marked > 0], marked[marked > 0])
    from napari_segment.classical.classifier.forest import Forest

    ours, rows = Forest.of(forest), table[:: max(1, len(table) // 2_000_000)]
    times = in_turns(lambda: ours.probabilities(rows), lambda: forest.predict_proba(rows))
    apart = np.abs(ours.probabilities(rows[:10_000]) - forest.predict_proba(rows[:10_000])).max()
    say(f"probabilities of {len(rows):,} voxels, at most {apart:.1e} apart", times)

    with tempfile.TemporaryDirectory() as folder:
        plain = ns.Image(pixels, "ZYX")
        painted = ns.Labels(marks, "ZYX", holds="classes")

        def whole() -> None:
            steps = ns.train_classifier(
                [(plain, painted)], out=folder, overwrite=True, features=SAME, trees=TREES
            )
            ns.segment(plain, "classifier", checkpoint=run(steps).folder)

        def script() -> None:
            table = of_skimage(pixels)
            given = RandomForestClassifier(TREES, n_jobs=THREADS, random_state=0)
            given.fit(table[marks > 0], marks[marks > 0])
            given.predict(table.reshape(-1, table.shape[-1]))

        say(f"train and segment, {pixels.shape}", in_turns(whole, script, turns=1))


def quality() -> None:
    """Scores on images that nothing was painted on."""
    data = Path(os.environ["NAPARI_SEGMENT_DATA"])
    files = sorted((data / "dsb2018" / "images").glob("*.png"))[::9]
    rows = [(ns.read(f), np.asarray(ns.read(data / "dsb2018" / "labels" / f.name).data) > 0)
            for f in files]  # fmt: skip
    compare("dsb2018, strokes on the first of 15 images", rows)
    for name in ("1135", "1136"):
        image = ns.read(data / "ovules" / f"{name}_mini_raw.tif")
        truth = np.asarray(ns.read(data / "ovules" / f"{name}_mini_label.tif").data) > 0
        planes = [(image.take("Z", z), truth[z]) for z in range(10, 100, 20)]
        compare(f"ovules {name}, tissue, strokes on one of 5 planes", planes)


def compare(title: str, rows: list[tuple[ns.Image, NDArray[np.bool_]]]) -> None:
    """Learn from strokes on the first image, and score the others."""
    from skimage.feature import multiscale_basic_features
    from sklearn.ensemble import RandomForestClassifier

    def plane(image: ns.Image) -> NDArray[np.float32]:
        return np.asarray(image.channel(0).data if "C" in image.axes else image.data, np.float32)

    (first, truth), rest = rows[0], rows[1:]
    marks = strokes(truth, count=600)
    with tempfile.TemporaryDirectory() as folder:
        cases = [(ns.Image(plane(first)), ns.Labels(marks, holds="classes"))]
        model = run(ns.train_classifier(cases, out=folder, overwrite=True, background=1))
        mine = [
            dice(ns.segment(ns.Image(plane(i)), "classifier", checkpoint=model.folder).data, t)
            for i, t in rest
        ]

    def table(image: ns.Image) -> NDArray[np.float32]:
        return multiscale_basic_features(plane(image), sigma_min=1, sigma_max=8, num_sigma=4)

    forest = RandomForestClassifier(TREES, n_jobs=THREADS, random_state=0)
    forest.fit(table(first)[marks > 0], marks[marks > 0])
    other = []
    for image, reference in rest:
        rows_of = table(image)
        predicted = forest.predict(rows_of.reshape(-1, rows_of.shape[-1]))
        other.append(dice(predicted.reshape(reference.shape) == 2, reference))
    print(f"{title}: mean Dice {np.mean(mine):.3f}, script {np.mean(other):.3f}")


def strokes(inside: NDArray[np.bool_], count: int) -> NDArray[np.int32]:
    """Short lines of five pixels at seeded places, 2 inside and 1 outside; 0 elsewhere."""
    rng = np.random.default_rng(0)
    marks = np.zeros(inside.shape, np.int32)
    for number, where in ((2, inside), (1, ~inside)):
        starts = np.argwhere(where)
        for start in starts[rng.choice(len(starts), min(count // 5, len(starts)), replace=False)]:
            line = (*start[:-1], slice(start[-1], start[-1] + 5))
            marks[line] = np.where(where[line], number, marks[line])
    return marks


def dice(result: NDArray[np.generic], truth: NDArray[np.bool_]) -> float:
    both = (result > 0) & truth
    return float(2 * both.sum() / max((result > 0).sum() + truth.sum(), 1))


def in_turns(
    ours: Callable[[], object], theirs: Callable[[], object], turns: int = 2
) -> tuple[float, float]:
    """Best seconds of both, run one after the other; what is compiled is compiled before."""
    if turns > 1:
        ours()
    best = [np.inf, np.inf]
    for _ in range(turns):
        for i, call in enumerate((ours, theirs)):
            started = time.perf_counter()
            call()
            best[i] = min(best[i], time.perf_counter() - started)
    return best[0], best[1]


def say(what: str, times: tuple[float, float]) -> None:
    print(f"{what}: {times[0]:.2f} s, script {times[1]:.2f} s, {times[1] / times[0]:.1f} times")


if __name__ == "__main__":
    main()
