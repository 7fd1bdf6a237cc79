"""The card that a training writes."""

import shlex

import numpy as np
import pytest

from napari_segment.cli.parser import make_parser
from napari_segment.cli.settings import chosen, training
from napari_segment.deep.card import CHOSE, ModelCard
from napari_segment.deep.training import checked, train
from napari_segment.deep.training.decoding_fit import average_precision
from napari_segment.deep.training.record.card import command_of
from napari_segment.io import write
from napari_segment.io.hashing import file_hash
from napari_segment.samples import nuclei
from napari_segment.step import run

TINY = ("textbook_unet", {"features": 4, "levels": 2, "dropout": 0.0})


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    for i in range(6):
        image, labels = nuclei((64, 64), seed=i)
        write(image, folder / "images" / f"case{i}.tif")
        write(labels, folder / "labels" / f"case{i}.tif")
    return folder


@pytest.fixture(scope="module")
def trained(folders):
    out = folders / "run"
    return run(
        train(
            (folders / "images", folders / "labels"), out=out, model=TINY, epochs=3, steps=20,
            batch=4, lr=0.01, device="cpu", workers=0, test_cases=("case1", "case4"),
            patch=(64, 64), task="objects",
        )
    )  # fmt: skip


def test_the_card_names_every_case_with_its_part_and_hash(trained, folders):
    card = ModelCard.load(trained.folder)
    parts = {case.name: case.part for case in card.cases}
    assert parts == {
        "case0": "training", "case1": "test", "case2": "training", "case3": "training",
        "case4": "test", "case5": "validation",
    }  # fmt: skip
    first = next(case for case in card.cases if case.name == "case0")
    assert first.image == file_hash(folders / "images" / "case0.tif")
    assert first.labels == file_hash(folders / "labels" / "case0.tif")
    assert card.weights == file_hash(trained.folder / "weights.safetensors")
    assert "2 for the test (as given)" in card.split
    assert (card.epochs, card.holds, card.ndim) == (3, "objects", 2)
    assert card.parameters == sum(p.numel() for p in trained.network().parameters()) + sum(
        b.numel() for b in trained.network().buffers() if b.is_floating_point()
    )


def test_the_score_of_the_test_is_that_of_the_saved_network(trained, folders):
    from napari_segment import read, segment

    test, validation = ModelCard.load(trained.folder).scores
    assert (test.on, test.chose) == ("2 cases of the test", "")
    assert (validation.on, validation.chose) == ("1 case of the validation", CHOSE)
    assert validation.values == trained.scores
    precision = []
    for name in ("case1.tif", "case4.tif"):
        labels = segment(
            folders / "images" / name, "network", checkpoint=trained.folder, device="cpu"
        )
        reference = np.asarray(read(folders / "labels" / name))
        precision.append(average_precision(np.asarray(labels), reference))
    assert test.values["ap"] == pytest.approx(np.mean(precision), abs=0.05)
    assert 0.1 < test.values["ap pooled"] <= 1


def test_the_text_says_which_scores_chose(trained):
    text = (trained.folder / "card.md").read_text("utf-8")
    assert "on 2 cases of the test, which chose nothing" in text
    assert "on 1 case of the validation, which also chose the epoch and the decoding" in text


def test_the_command_gives_the_settings_of_the_training_again():
    settings = checked(
        {"model": ("unet", {"features": (4, 8)}), "minutes": 3, "test": 0.25, "find_lr": True,
         "augment_overrides": ("rotate=45", "flip=0"), "test_cases": ("a", "b"), "lr": 0.01}
    )  # fmt: skip
    arguments = shlex.split(command_of(settings))[1:]
    options = make_parser(arguments).parse_args(arguments)
    again = checked(training().validate(chosen(options, training())))
    assert again == settings
