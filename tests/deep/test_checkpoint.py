"""The folder of a trained network: written whole, read back the same, errors as messages."""

import json

import numpy as np
import pytest
import torch

from napari_segment.deep.checkpoint import WEIGHTS, Checkpoint, load_tensors, save_tensors
from napari_segment.deep.nn import models
from napari_segment.deep.planning.normalisation import Normalisation
from napari_segment.errors import FormatError
from napari_segment.io.replacing import write_atomically
from napari_segment.recipe import Spec

SMALL = Spec(name="unet", settings={"features": [4, 8], "residual_units": 0})


@pytest.fixture
def checkpoint(tmp_path):
    return Checkpoint(
        folder=tmp_path / "net", model=SMALL, ndim=2, channels=("dna", "actin"), channels_out=3,
        activation="softmax", holds="classes", values=(0, 4, 9), names={4: "cell"},
        normalisation=(Normalisation(), Normalisation(scheme="fixed", clip=(0, 255), scale=9)),
        patch=(32, 32), scores={"dice": 0.5},
    )  # fmt: skip


def test_a_network_comes_back_the_same(checkpoint):
    torch.manual_seed(0)
    network = models.build(SMALL, 2, 3, 2).eval()
    checkpoint.save(network.state_dict())
    loaded = Checkpoint.load(checkpoint.folder)
    assert loaded == checkpoint
    image = torch.randn(1, 2, 19, 33)
    assert torch.equal(loaded.network()(image), network(image))


def test_channels_last_weights_are_written_in_plain_order(checkpoint):
    network = models.build(SMALL, 2, 3, 2).to(memory_format=torch.channels_last)
    checkpoint.save(network.state_dict())
    for key, value in Checkpoint.load(checkpoint.folder).network().state_dict().items():
        assert torch.equal(value, network.state_dict()[key])


def test_normalisation_by_channel(checkpoint):
    image = np.random.default_rng(0).normal(size=(2, 8, 8))
    changed = checkpoint.apply(image, checkpoint.statistics(image))
    assert changed.dtype == np.float32
    np.testing.assert_allclose(changed[1], np.clip(image[1], 0, 255) / 9, rtol=1e-6)


def test_a_folder_without_a_network(tmp_path):
    with pytest.raises(FormatError, match=r"has no model\.json"):
        Checkpoint.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, "later version"),
        ({"patch": [3]}, "'patch' must have one number"),
        ({"ndim": 5}, "ndim"),
        ({"unheard": 1}, "unheard"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(checkpoint, change, message):
    checkpoint.save({"net.x": torch.zeros(1)})
    path = checkpoint.folder / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(FormatError, match=message):
        Checkpoint.load(checkpoint.folder)


def test_weights_of_another_model(checkpoint):
    checkpoint.save({"net.x": torch.zeros(1)})
    with pytest.raises(FormatError, match="do not fit the model 'unet'"):
        Checkpoint.load(checkpoint.folder).network()


def test_damaged_weights(checkpoint):
    checkpoint.save({"net.x": torch.zeros(1)})
    (checkpoint.folder / "weights.safetensors").write_bytes(b"no")
    with pytest.raises(FormatError, match="Cannot read the weights"):
        Checkpoint.load(checkpoint.folder).network()


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_weights_of_a_former_version_get_the_names_of_today(tmp_path):
    former = {"net.head.words": torch.ones(2, 3), "net.head.scale": torch.zeros(2)}
    save_tensors(former, tmp_path / WEIGHTS)
    loaded = load_tensors(tmp_path / WEIGHTS)
    assert set(loaded) == {"net.head.codewords", "net.head.scale"}
    assert torch.equal(loaded["net.head.codewords"], torch.ones(2, 3))
