"""Trainings on examples only: what is not painted plays no part, the painted background is 0."""

import json

import numpy as np
import pytest
from shared.trainings import short

import napari_segment as ns
from napari_segment import api, samples
from napari_segment.cli import main
from napari_segment.deep.card import ModelCard
from napari_segment.deep.training import train
from napari_segment.errors import InputError, SettingError
from napari_segment.step import run

BACKGROUND = 4
FEW = {"epochs": 3, "steps": 25, "patch": (32, 32), "augment": "none"}


def painted(labels, seed=0, numbers=(BACKGROUND, 2, 9)):
    """Every third row painted: the background as 4, tissues 1 and 2 as 2 and 9; 0 elsewhere."""
    data = np.asarray(labels.data)
    strokes = np.zeros(data.shape, np.uint8)
    for value, number in enumerate(numbers):
        strokes[data == value] = number
    strokes[..., seed % 3 :: 3, :] = 0
    strokes[..., (seed + 1) % 3 :: 3, :] = 0
    return labels.replace(data=strokes, holds="classes", names={4: "outside", 2: "one", 9: "two"})


@pytest.fixture(scope="module")
def cases():
    """Planes of two tissues with strokes, and with their whole labels."""
    image, truth = samples.two_tissues((24, 64, 64), seed=1)
    planes = [(image.take("Z", z), truth.take("Z", z)) for z in range(8, 16)]
    named = [(i.replace(name=f"plane {n}"), t) for n, (i, t) in enumerate(planes)]
    return [(i, painted(t, seed=n)) for n, (i, t) in enumerate(named)], named


@pytest.fixture(scope="module")
def learnt(cases, tmp_path_factory):
    out = tmp_path_factory.mktemp("examples") / "net"
    steps, checkpoint = short(cases[0], out, background=BACKGROUND, **FEW)
    return steps, checkpoint


def test_the_network_knows_the_background_and_the_classes(learnt, cases):
    steps, checkpoint = learnt
    assert (checkpoint.holds, checkpoint.values) == ("classes", (0, 2, 9))
    assert checkpoint.names == {2: "one", 9: "two"}
    said = [s.message for s in steps]
    assert any("of the voxels are without annotation" in message for message in said)
    assert "background: 4, as given; voxels of 0 are without annotation" in said
    image, truth = cases[1][3]
    labels = ns.segment(image, "network", checkpoint=checkpoint.folder)
    assert set(np.unique(labels.data)) <= {0, 2, 9}
    wanted = np.array([0, 2, 9])[np.asarray(truth.data)]
    assert np.mean(np.asarray(labels.data) == wanted) > 0.8


def test_the_card_and_the_run_record_it(learnt):
    folder = learnt[1].folder
    assert json.loads((folder / "settings.json").read_text())["background"] == BACKGROUND
    assert "--background 4" in ModelCard.load(folder).command


def test_what_is_not_painted_plays_no_part_in_the_validation(learnt, cases):
    """The accuracy is that of the painted voxels alone, by hand."""
    checkpoint = learnt[1]
    image, strokes = cases[0][4]  # every fifth is for validation
    labels = np.asarray(ns.segment(image, "network", checkpoint=checkpoint.folder).data)
    data = np.asarray(strokes.data)
    at = data > 0
    assert 0 < at.sum() < data.size / 2.9
    right = np.mean(labels[at] == np.where(data == BACKGROUND, 0, data)[at])
    assert abs(right - checkpoint.scores["accuracy"]) < 0.003


def test_losses_and_scores_are_those_of_negative_labels(learnt, cases, tmp_path):
    """Where -1 says so already, whatever would stand there, all is the same to the last bit."""
    pairs = []
    for image, strokes in cases[0]:
        data = np.asarray(strokes.data).astype(np.int16)
        rng = np.random.default_rng(0)
        data[data == 0] = -rng.integers(1, 99, np.sum(data == 0))
        data[data == BACKGROUND] = 0
        pairs.append((image, strokes.replace(data=data, names={2: "one", 9: "two"})))
    steps, checkpoint = short(pairs, tmp_path / "net", **FEW)
    assert [s.numbers.get("loss") for s in steps if s.numbers] == [
        s.numbers.get("loss") for s in learnt[0] if s.numbers
    ]
    assert checkpoint.scores == learnt[1].scores


def test_the_command_line_trains_the_same(learnt, cases, tmp_path):
    for image, strokes in cases[0]:
        api.write(image, tmp_path / "images" / f"{image.name}.tif")
        api.write(strokes, tmp_path / "labels" / f"{image.name}.tif")
    options = [
        "--background", "4", "--epochs", "3", "--steps", "25", "--batch", "4", "--patch", "32,32",
        "--augment", "none", "--device", "cpu", "--workers", "0", "--lr", "0.01",
        "--model", "unet:features=4,8,residual_units=0",
    ]  # fmt: skip
    folders = ["--images", tmp_path / "images", "--labels", tmp_path / "labels"]
    assert main(list(map(str, ["train", *folders, "-o", tmp_path / "net", *options]))) == 0
    made = (tmp_path / "net" / "weights.safetensors").read_bytes()
    assert made == (learnt[1].folder / "weights.safetensors").read_bytes()


def test_a_background_that_nobody_painted_is_said(cases, tmp_path):
    with pytest.raises(InputError, match=r"class 5, but painted are the classes 2, 4, 9"):
        run(train(cases[0], out=tmp_path / "net", background=5))
    with pytest.raises(SettingError, match="ignore_index=0 cannot be given as well"):
        run(train(cases[0], out=tmp_path / "net", background=4, ignore_index=0))
