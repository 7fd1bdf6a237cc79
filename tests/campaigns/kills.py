"""Kill work at random moments, again and again, and look at what is left.

Started as ``python kills.py WORK COUNT SEED FOLDER``; prints what was seen as JSON. Each trial is a
fork of this process, so that nothing is imported twice.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

import napari_segment as ns
from napari_segment.io import read_labels, recipe_path, replacing
from napari_segment.recipe import Recipe, Spec
from napari_segment.step import run


def start_again(folder):
    """Let this process do what the next one does first."""
    for nameless in folder.glob(".writing-*"):
        if not (nameless / replacing.OWNER).exists():  # killed between two calls
            os.utime(nameless, (0, 0))  # it would go after a minute
    replacing.recover_once.cache_clear()


class Write:
    """Replace labels with their recipe and features: all old or all new."""

    def __init__(self, folder, name="a.tif"):
        self.path = folder / "write" / name
        self.number = 1
        self.work(1)

    def work(self, trial):
        data = np.full((64, 300, 300), trial, np.uint16)
        columns = {"label": np.array([trial]), "size": np.array([trial])}
        recipe = Recipe(method=Spec(name="otsu", settings={"trial": trial}))
        ns.write(ns.Labels(data, "ZYX", recipe=recipe, features=columns), self.path)

    def check(self, trial):
        start_again(self.path.parent)
        labels = read_labels(self.path)
        recipe = Recipe.load(recipe_path(self.path))
        numbers = {*np.unique(labels.data).tolist(), *labels.features["size"].tolist()}
        numbers.add(recipe.method.settings["trial"])
        assert numbers in ({self.number}, {trial}), numbers
        assert len(list(self.path.parent.iterdir())) == 3, list(self.path.parent.iterdir())
        new = numbers == {trial}
        (self.number,) = numbers
        return "new" if new else "old"


class WriteZarr(Write):
    """The same as OME-Zarr."""

    def __init__(self, folder):
        super().__init__(folder, "a.ome.zarr")


class Store:
    """Predict two images in turn into one store: each goes on with its own labels."""

    def __init__(self, folder):
        from napari_segment.deep.checkpoint import Checkpoint
        from napari_segment.deep.nn import models
        from napari_segment.deep.planning.normalisation import Normalisation

        model = Spec(name="unet", settings={"features": (4, 8), "residual_units": 0})
        checkpoint = Checkpoint(
            folder=folder / "net", model=model, ndim=3, channels=("c",), channels_out=3,
            activation="softmax", holds="classes", values=(0, 1, 2), patch=(16, 16, 16),
            normalisation=(Normalisation(scheme="none"),),
        )  # fmt: skip
        checkpoint.save(models.build(model, 1, 3, 3).state_dict())
        self.net, self.store = checkpoint.folder, folder / "store"
        rng = np.random.default_rng(0)
        self.images = [rng.normal(size=(64, 34, 40)).astype(np.float32) for _ in range(2)]
        self.expected = [self.labels(image) for image in self.images]
        assert (self.expected[0] != self.expected[1]).mean() > 0.1

    def labels(self, image, **settings):
        given = {"checkpoint": self.net, "device": "cpu", **settings}
        labels = ns.segment(ns.Image(image, "ZYX"), "network", **given)
        return np.asarray(labels.data)

    def work(self, trial):
        self.labels(self.images[trial % 2], store=self.store)

    def check(self, trial):
        (image, expected) = (part[trial % 2] for part in (self.images, self.expected))
        rows = [json.loads(p.read_text()) for p in self.store.glob("*/labels/napari-segment.json")]
        done = max((row["done"] for row in rows), default=0)
        start_again(self.store)
        assert np.array_equal(self.labels(image, store=self.store), expected)
        left = [p for p in self.store.rglob(".*") if p.name != ".lock.json"]
        assert not left, left
        if trial % 4 == 3:
            shutil.rmtree(self.store)
        return "begun" if done else "not begun"


class Train:
    """Resume a training after each kill: at the end the weights are those without a kill."""

    def __init__(self, folder):
        rng = np.random.default_rng(0)
        self.pairs = []
        for number in range(4):
            labels = np.zeros((40, 40), np.uint8)
            row, column = rng.integers(5, 25, 2)
            labels[row : row + 10, column : column + 10] = 1
            pixels = (labels * 90 + rng.normal(0, 9, labels.shape)).astype(np.float32)
            image = ns.Image(pixels, name=f"case {number}")
            self.pairs.append((image, ns.Labels(labels, holds="mask")))
        self.folder = folder / "run"
        self.expected = self.weights(folder / "whole")

    def weights(self, folder):
        settings = {"features": (4, 8), "residual_units": 0}
        run(
            ns.train(
                self.pairs, out=folder, model=("unet", settings), epochs=4, steps=6, batch=2,
                lr=0.01, device="cpu", workers=0, precision="float32", resume=True,
            )
        )  # fmt: skip
        return (folder / "weights.safetensors").read_bytes()

    def work(self, trial):
        self.weights(self.folder)

    def check(self, trial):
        rows = (self.folder / "curves.csv").exists() and (self.folder / "curves.csv").read_text()
        epochs = max(str(rows or "").count("\n") - 1, 0)
        if epochs >= 3 or trial % 3 == 2:
            start_again(self.folder)
            assert self.weights(self.folder) == self.expected
            assert not list(self.folder.rglob(".*")), list(self.folder.rglob(".*"))
            shutil.rmtree(self.folder)
        return f"epoch {epochs}"


WORKS = {"write": Write, "zarr": WriteZarr, "store": Store, "train": Train}


def trial_of(work, trial, moment):
    """Fork, work, kill after some seconds; whether it was killed."""
    pid = os.fork()
    if pid == 0:
        try:
            work.work(trial)
        finally:
            os._exit(0)
    time.sleep(moment)
    os.kill(pid, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def main(name, count, seed, folder):
    warnings.simplefilter("ignore")
    rng, seen = random.Random(int(seed)), Counter()
    work = WORKS[name](Path(folder))
    begun = time.monotonic()
    work.work(2)
    lasts = time.monotonic() - begun
    work.check(2)
    for trial in range(3, 3 + int(count)):
        seen["killed"] += trial_of(work, trial, rng.uniform(0, 2 * lasts))
        seen[work.check(trial)] += 1
        seen["trials"] += 1
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
