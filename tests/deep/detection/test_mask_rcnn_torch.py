"""Objects of several classes: from annotations to the losses and back as features."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_segment import Image, Labels, segment, train
from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.data.cases import Cases
from napari_segment.deep.data.samples import Samples, kinds
from napari_segment.deep.detection import mask_rcnn_torch as _network
from napari_segment.deep.planning.plan import make_plan
from napari_segment.deep.training import ENTRY
from napari_segment.io.datasets.pairs import Case, Pairs
from napari_segment.step import run

MODEL = ("mask_rcnn", {"width": 16, "proposals_per_image": 16, "max_detections": 20})
DATA = Path(os.environ.get("NAPARI_SEGMENT_DATA", "../shared/data"))


def pairs(count=3):
    """Squares of class 2 and bars of class 1, on several grounds."""
    cases = []
    for i in range(count):
        labels = np.zeros((70, 64), np.uint8)
        labels[5:20, 8:24], labels[30:36, 10:50], labels[45:60, 30:46] = 1, 2, 3
        image = Image((labels > 0) * 100.0 + i, "YX")
        known = {1: 2, 2: 1, 3: 2}
        cases.append(Case(f"case {i}", image, Labels(labels, "YX"), classes=known))
    return Pairs(tuple(cases), "objects", {1: "bar", 2: "square"})


def test_a_target_tells_the_class_of_each_object():
    labels = np.zeros((20, 20), np.int32)
    labels[2:8, 2:8], labels[10:18, 4:9] = 4, 9
    target = _network.as_targets(labels, kinds(labels, {4: 3}), device=torch.device("cpu"))
    assert target["labels"].tolist() == [3, 1]
    alone = _network.as_targets(labels, device=torch.device("cpu"))
    assert alone["labels"].tolist() == [1, 1]
    assert kinds(np.array([[-1, 0, 4]], np.int32), {4: 3}).tolist() == [[0, 0, 3]]


def test_plan_and_samples_know_the_classes():
    given = pairs()
    settings = ENTRY.settings.model_validate(ENTRY.validate({"model": MODEL}))
    cases = Cases(given)
    run(cases.measure())
    plan = make_plan(cases.items, given, settings, 2**32, False)
    assert plan.names == {1: "bar", 2: "square"}
    assert plan.channels_out == 3
    target = Samples(cases, plan)(cases.items[0]).target
    assert target.shape == (2, 70, 64)
    assert {(int(n), int(k)) for n, k in zip(*target.reshape(2, -1), strict=True)} == {
        (0, 0), (1, 2), (2, 1), (3, 2),
    }  # fmt: skip
    without = Pairs(tuple(Case(c.name, c.image, c.labels) for c in given), "objects", given.names)
    assert make_plan(cases.items, without, settings, 2**32, False).channels_out == 2


def trained(given, folder, monkeypatch, **settings):
    """One epoch; the checkpoint, and the classes that reached the losses."""
    seen: set[int] = set()
    real = _network.as_targets

    def spy(*labels, device):
        target = real(*labels, device=device)
        seen.update(target["labels"].tolist())
        return target

    monkeypatch.setattr(_network, "as_targets", spy)
    common = {"out": folder, "model": MODEL, "epochs": 1, "device": "cpu", "workers": 0}
    return run(train(given, **common, **settings)), seen


def everything(checkpoint):
    """The checkpoint with the least sure objects shown, whatever they are."""
    objects = checkpoint.objects.model_copy(update={"seed": 0.0, "size": 0})
    return checkpoint.model_copy(update={"objects": objects}).save()


@pytest.mark.slow
def test_classes_come_back_as_features(tmp_path, monkeypatch):
    given = pairs()
    checkpoint, seen = trained(
        given, tmp_path / "run", monkeypatch, patch=(64, 64), steps=2, batch=1
    )
    assert seen == {1, 2}
    assert checkpoint.names == {1: "bar", 2: "square"}
    everything(checkpoint)
    features = segment(given[0].image, "network", checkpoint=checkpoint.folder).features
    assert {"label", "class", "score", "bbox_y_start"} <= set(features)
    assert set(features["class"]) <= {"bar", "square"}


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.skipif(not (DATA / "coco_tiny").exists(), reason="needs coco_tiny")
def test_coco_annotations_are_learnt(tmp_path, monkeypatch):
    whole = Pairs.of(DATA / "coco_tiny")
    assert max(whole.names) == len(whole.names)  # without the gaps of the category ids
    some = [i for i, case in enumerate(whole) if len(set(case.classes.values())) > 1][:3]
    given = whole.subset(some)
    small = [Case(c.name, *(_reduced(s) for s in given.read(c)), classes=c.classes) for c in given]
    given = Pairs(tuple(small), "objects", given.names)
    checkpoint, seen = trained(
        given, tmp_path / "run", monkeypatch, patch=(64, 64), steps=3, batch=1, balance=1.0
    )
    wanted = {k for case in given for k in case.classes.values()}
    assert seen <= wanted
    assert max(seen) > 1
    assert checkpoint.channels_out == 1 + len(whole.names)
    everything(Checkpoint.load(checkpoint.folder))
    features = segment(given[0].image, "network", checkpoint=checkpoint.folder).features
    assert set(features["class"]) <= set(whole.names.values())


def _reduced(stack):
    """Every fourth pixel along each side."""
    where = tuple(slice(None, None, 4) if a in "YX" else slice(None) for a in stack.axes)
    return stack.replace(data=np.ascontiguousarray(np.asarray(stack.data)[where]))
