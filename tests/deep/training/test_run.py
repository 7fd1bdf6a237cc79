"""Training as a generator of Steps: what comes out, of which cases and settings."""

import numpy as np
import pytest
import torch
from shared.trainings import discs, losses_of, short

from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.data.targets import decode
from napari_segment.deep.training import ENTRY, train
from napari_segment.errors import SettingError
from napari_segment.image import Image, Labels
from napari_segment.io import write
from napari_segment.step import run


def test_a_short_training_learns_its_classes(trained):
    steps, checkpoint = trained
    assert checkpoint.scores["dice"] > 0.8
    assert {"dice small", "dice 7"} <= set(checkpoint.scores)
    assert losses_of(steps)[-1] < 0.5 * losses_of(steps)[0]


def test_classes_of_two_folders_are_named_by_their_label_files(tmp_path):
    for i, (image, labels) in enumerate(discs(5)):
        write(image, tmp_path / "images" / f"{i}.tif")
        write(labels, tmp_path / "labels" / f"{i}.tif")  # names 3 only
    folders = tmp_path / "images", tmp_path / "labels"
    few = {"epochs": 1, "steps": 1}
    steps, checkpoint = short(folders, tmp_path / "told", **few)
    assert checkpoint.names == {3: "small"}
    assert "dice small" in checkpoint.scores
    assert "classes: 3 small, as the data say" in [s.message for s in steps]
    _, checkpoint = short(folders, tmp_path / "given", classes=("3=tiny", "7=large"), **few)
    assert checkpoint.names == {3: "tiny", 7: "large"}
    assert {"dice tiny", "dice large"} <= set(checkpoint.scores)


def test_the_checkpoint_segments_on_its_own(trained):
    checkpoint = Checkpoint.load(trained[1].folder)
    assert (checkpoint.holds, checkpoint.values, checkpoint.names) == (
        "classes", (0, 3, 7), {3: "small"},
    )  # fmt: skip
    image, labels = discs(1, seed=99)[0]
    pixels = image.data[None]
    ready = checkpoint.apply(pixels, checkpoint.statistics(pixels))
    with torch.no_grad():
        best = checkpoint.network()(torch.from_numpy(ready)[None])[0].argmax(0).numpy()
    assert np.mean(np.take(checkpoint.values, best) == labels.data) > 0.95


def test_steps_carry_progress_scores_and_previews(trained):
    steps, _ = trained
    previews = [s.preview for s in steps if s.preview]
    assert len(previews) == 7
    assert {p["prediction"].shape for p in previews} == {(40, 48)}
    assert max(s.done for s in steps) == max(s.total for s in steps) == 150


def test_a_training_is_the_same_with_threads_and_without(tmp_path):
    alone, _ = short(discs(), tmp_path / "a", workers=0)
    threaded, _ = short(discs(), tmp_path / "b", workers=2)
    assert losses_of(alone) == losses_of(threaded)


def test_cases_that_do_not_fit_into_memory_train_the_same(tmp_path, monkeypatch):
    settings = {"epochs": 1, "steps": 4}
    whole, expected = short(discs(5), tmp_path / "whole", **settings)
    monkeypatch.setattr("napari_segment.deep.training.run._budget", lambda: 2000)
    streamed, checkpoint = short(discs(5), tmp_path / "parts", **settings)
    assert losses_of(streamed) == losses_of(whole)
    assert checkpoint.scores["dice"] == expected.scores["dice"]
    assert "hd95" not in checkpoint.scores
    assert not list((tmp_path / "parts" / "state").glob("cases*"))


def test_patches_changed_on_the_device_are_those_changed_by_threads(tmp_path, monkeypatch):
    settings = {"epochs": 1, "augment": "strong", "workers": 2}
    threaded, _ = short(discs(), tmp_path / "threads", **settings)
    monkeypatch.setattr(
        "napari_segment.deep.training.loop_torch.augments", lambda device, ndim: True
    )
    late, _ = short(discs(), tmp_path / "device", **settings)
    assert losses_of(late) == losses_of(threaded)


@pytest.mark.parametrize("task", ["classes", "objects"])
def test_a_network_that_learnt_nothing_is_said_to(tmp_path, task):
    with pytest.warns(UserWarning, match="learnt nothing. Give more minutes"):
        steps, checkpoint = short(discs(3), tmp_path, epochs=0, minutes=1e-4, task=task)
    assert "before the first epoch" in steps[-1].message
    assert not any("loss" in s.numbers or "threshold" in s.message for s in steps)
    assert checkpoint.scores == {}


@pytest.mark.parametrize(
    ("shape", "settings", "expected"),
    [
        ((12, 24, 28), {}, (3, 1, 3)),
        ((12, 24, 28), {"ndim": "2", "slices": 3}, (2, 3, 3)),
        ((5, 24, 28), {}, (2, 1, 3)),
        ((1, 3), {}, (2, 1, 3)),
    ],
)
def test_stacks_planes_and_tiny_images(tmp_path, shape, settings, expected):
    pairs = discs(3, shape) if shape[-1] > 3 else _two_voxels()
    _, checkpoint = short(pairs, tmp_path, epochs=1, steps=2, **settings)
    assert (checkpoint.ndim, checkpoint.slices, checkpoint.channels_out) == expected
    assert np.isfinite(checkpoint.scores["dice"])


def _two_voxels():
    marks = np.array([[0, 3, 7]], np.uint8)
    return [(marks.astype(float) * i, marks) for i in range(3)]


def test_one_case_with_channels_and_a_mask(tmp_path):
    rng = np.random.default_rng(0)
    mask = np.zeros((30, 64), np.uint8)
    mask[8:20, 5:60] = 255
    image = Image(np.stack([mask, 255 - mask]) + rng.normal(0, 9, (2, 30, 64)), "CYX")
    _, checkpoint = short([(image, Labels(mask, holds="mask"))], tmp_path, epochs=4, steps=20)
    assert (checkpoint.holds, checkpoint.values, checkpoint.channels_out) == ("mask", (0, 255), 1)
    assert checkpoint.channels_in == 2
    assert checkpoint.scores["dice"] > 0.9


def test_objects_are_learnt_and_detected(tmp_path):
    pairs = []
    for image, labels in discs(8, (48, 64)):
        objects = np.where(labels.data == 3, 1, 0) + np.where(labels.data == 7, 2, 0)
        pairs.append((image, Labels(objects.astype(np.uint16), holds="objects")))
    steps, checkpoint = short(pairs, tmp_path, epochs=8, steps=25)
    assert checkpoint.holds == "objects"
    assert checkpoint.scores["ap"] > 0.7
    assert any("foreground" in s.message for s in steps)
    shown = [s.preview for s in steps if s.preview][-1]
    assert shown["prediction"].max() >= len(np.unique(shown["reference"])) - 1 == 2
    image = pairs[-1][0].data[None]
    with torch.no_grad():
        ready = checkpoint.apply(image, checkpoint.statistics(image))
        maps = checkpoint.network()(torch.from_numpy(ready)[None])[0].sigmoid().numpy()
    assert decode(maps, checkpoint.objects).max() in (1, 2, 3)


def test_sparse_labels_leave_the_rest_open(tmp_path):
    pairs = []
    for image, labels in discs(5, values=(3,)):
        sparse = np.where(labels.data == 3, 2, 1).astype(np.uint8)
        sparse[:, ::2] = 0  # every other column was not painted
        sparse[5:] = np.where(labels.data[5:] == 3, 2, sparse[5:])
        pairs.append((image.data, sparse))
    _, checkpoint = short(pairs, tmp_path, ignore_index=0, epochs=4, steps=20, task="classes")
    assert checkpoint.values == (1, 2)
    assert checkpoint.scores["dice"] > 0.8


def test_settings_are_checked_before_anything_is_read(tmp_path):
    with pytest.raises(SettingError, match="balance"):
        run(train("nowhere", out=tmp_path, balance=2.0))


def test_the_entry_says_what_every_setting_does():
    schema = ENTRY.schema()["properties"]
    assert all(len(s["description"]) > 10 for s in schema.values())
