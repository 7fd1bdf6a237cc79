"""Kill work at random moments, again and again, and look at what is left.

Started as ``python kills.py WORK COUNT SEED FOLDER``; prints what was seen as JSON. Each trial is a
fork of this process, so that nothing is imported twice; this process itself starts no threads, as
those would not be there in a fork.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
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

    def prepare(self):
        self.work(2)

    def work(self, trial):
        data = np.full((64, 300, 300), trial, np.uint16)
        columns = {"label": np.array([trial]), "size": np.array([trial])}
        recipe = Recipe(method=Spec(name="otsu", settings={"trial": trial}))
        ns.write(ns.Labels(data, "ZYX", recipe=recipe, features=columns), self.path)

    def check(self, trial, state):
        start_again(self.path.parent)
        labels = read_labels(self.path)
        recipe = Recipe.load(recipe_path(self.path))
        numbers = {*np.unique(labels.data).tolist(), *labels.features["size"].tolist()}
        numbers.add(recipe.method.settings["trial"])
        assert numbers in ({state or 2}, {trial}), numbers
        assert len(list(self.path.parent.iterdir())) == 3, list(self.path.parent.iterdir())
        return ("new" if numbers == {trial} else "old"), numbers.pop()


class WriteZarr(Write):
    """The same as OME-Zarr."""

    def __init__(self, folder):
        super().__init__(folder, "a.ome.zarr")


class Store:
    """Predict two images in turn into one store: each goes on with its own labels."""

    def __init__(self, folder):
        self.folder, self.net, self.store = folder, folder / "net", folder / "store"
        rng = np.random.default_rng(0)
        self.images = [rng.normal(size=(64, 34, 40)).astype(np.float32) for _ in range(2)]

    def prepare(self):
        from napari_segment.deep.checkpoint import Checkpoint
        from napari_segment.deep.nn import models
        from napari_segment.deep.planning.normalisation import Normalisation

        model = Spec(name="unet", settings={"features": (4, 8), "residual_units": 0})
        Checkpoint(
            folder=self.net, model=model, ndim=3, channels=("c",), channels_out=3,
            activation="softmax", holds="classes", values=(0, 1, 2), patch=(16, 16, 16),
            normalisation=(Normalisation(scheme="none"),),
        ).save(models.build(model, 1, 3, 3).state_dict())  # fmt: skip
        expected = [self.labels(image) for image in self.images]
        assert (expected[0] != expected[1]).mean() > 0.1
        np.save(self.folder / "expected.npy", expected)

    def labels(self, image, **settings):
        given = {"checkpoint": self.net, "device": "cpu", **settings}
        labels = ns.segment(ns.Image(image, "ZYX"), "network", **given)
        return np.asarray(labels.data)

    def work(self, trial):
        self.labels(self.images[trial % 2], store=self.store)

    def check(self, trial, state):
        expected = np.load(self.folder / "expected.npy")[trial % 2]
        rows = [json.loads(p.read_text()) for p in self.store.glob("*/labels/napari-segment.json")]
        done = max((row["done"] for row in rows if row["done"] < 64), default=0)
        start_again(self.store)
        actual = self.labels(self.images[trial % 2], store=self.store)
        assert np.array_equal(actual, expected)
        left = [p for p in self.store.rglob(".*") if p.name != ".lock.json"]
        assert not left, left
        if trial % 2:
            shutil.rmtree(self.store)
        return ("begun" if done else "not begun or whole"), state


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
        self.whole, self.folder = folder / "whole", folder / "run"

    def prepare(self):
        self.weights(self.whole)

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

    def check(self, trial, state):
        curves = self.folder / "curves.csv"
        epochs = curves.read_text().count("\n") - 1 if curves.exists() else 0
        if epochs >= 3 or trial % 3 == 2:
            start_again(self.folder)
            assert self.weights(self.folder) == (self.whole / "weights.safetensors").read_bytes()
            assert not list(self.folder.rglob(".*")), list(self.folder.rglob(".*"))
            shutil.rmtree(self.folder)
        return f"epoch {epochs}", state


WORKS = {"write": Write, "zarr": WriteZarr, "store": Store, "train": Train}


def forked(call, *given):
    """Call in a fork, which must end well; what it gave."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, json.dumps(call(*given)).encode())
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        text = stream.read()
    if os.waitpid(pid, 0)[1]:
        sys.exit(1)
    return json.loads(text)


def killed(call, trial, moment):
    """Call in a fork and kill it after some seconds; whether it was still at work."""
    pid = os.fork()
    if pid == 0:
        try:
            call(trial)
        finally:
            os._exit(0)
    time.sleep(moment)
    os.kill(pid, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def main(name, count, seed, folder):
    warnings.simplefilter("ignore")
    rng, seen, state = random.Random(int(seed)), Counter(), 0
    work = WORKS[name](Path(folder))
    forked(work.prepare)
    begun = time.monotonic()
    forked(work.work, 3)
    lasts = time.monotonic() - begun
    _, state = forked(work.check, 3, state)
    for trial in range(4, 4 + int(count)):
        seen["killed"] += killed(work.work, trial, rng.uniform(0, 1.2 * lasts))
        result, state = forked(work.check, trial, state)
        seen[result] += 1
        seen["trials"] += 1
    print(json.dumps(seen))


if __name__ == "__main__":
    # What a fork would import each time.
    import pandas  # noqa: F401
    import tifffile  # noqa: F401
    import zarr  # noqa: F401

    if sys.argv[1] in ("store", "train"):
        import napari_segment.deep.inference.prediction
        import napari_segment.deep.nn.models.monai
        import napari_segment.deep.training.loop_torch
        import napari_segment.deep.training.run

    main(*sys.argv[1:])
