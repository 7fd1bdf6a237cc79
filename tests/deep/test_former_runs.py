"""Run folders and checkpoints written before settings were renamed are read, and resumed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.planning.plan import Plan
from napari_segment.deep.training import ENTRY, train
from napari_segment.deep.training.record.runs import find_runs
from napari_segment.image import Image, Labels
from napari_segment.step import run

FORMER = Path(__file__).parent / "former" / "run"


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(FORMER, tmp_path / "run"))


def test_former_settings_have_the_names_of_today():
    former = json.loads((FORMER / "settings.json").read_text("utf-8"))
    assert {"start", "voxel", "unlabelled", "adjust"} <= set(former)
    settings = ENTRY.validate(former)
    assert settings["spacing"] == (1.0, 1.0)
    assert settings["ignore_index"] == 255
    assert settings["augment_overrides"] == ("rotate=45",)
    assert settings["model"].settings["features"] == 2
    loss = settings["loss"].settings
    assert loss["final_weights"] == [1.0, 2.0, 3.0]
    first, second, third = (part["settings"] for part in loss["parts"])
    assert (first["initial_weight"], first["final_weight"], first["spacing"]) == (0.1, 0.8, [])
    assert (second["weight"], third["dice_weight"]) == (0.25, 0.5)


def test_a_former_plan_is_read():
    plan = Plan.model_validate_json((FORMER / "plan.json").read_text("utf-8"))
    assert (plan.ignore_index, plan.patch) == (255, (16, 16))


def test_the_network_of_a_former_checkpoint_predicts():
    network = Checkpoint.load(FORMER).network()
    assert sum(p.numel() for p in network.parameters()) > 0
    with torch.no_grad():
        assert network(torch.zeros(1, 1, 16, 16)).shape == (1, 3, 16, 16)


def test_a_former_run_is_resumed(folder):
    rng = np.random.default_rng(0)
    pairs = []
    for i in range(3):
        labels = np.zeros((40, 48), np.uint8)
        labels[8:16, 8:16], labels[20:28, 20:28] = 3, 7
        image = Image(rng.normal(0, 1, labels.shape).astype(np.float32), name=f"case {i}")
        pairs.append((image, Labels(labels, holds="classes")))
    checkpoint = run(train(pairs, out=folder, resume=True, epochs=2, device="cpu", workers=0))
    assert checkpoint.scores
    (listed,) = find_runs([folder])
    assert listed.epochs == 2
    assert listed.settings["ignore_index"] == 255
