"""Trained models from elsewhere: cards of sense, tensors, weights as published."""

import hashlib
import json
import os
import pickle

import pytest

from napari_segment.deep.checkpoint import MODEL, WEIGHTS, Checkpoint, load_tensors
from napari_segment.deep.nn.models import published
from napari_segment.errors import FormatError

CARD = {
    "model": {"name": "unet"}, "ndim": 2, "channels": ["grey"], "channels_out": 2,
    "activation": "softmax", "holds": "mask", "values": [0, 1], "names": {"1": "cell"},
    "normalisation": [{}], "spacing": [0.5, 0.5], "unit": "micrometer", "patch": [32, 32],
}  # fmt: skip
WRONG = {
    "spacing": [[0, 1], [-1, 1], [float("nan"), 1], [float("inf"), 1], [1] * 9, "x"],
    "channels": [[], ["x"] * 5000, ["x" * 2000]],
    "channels_out": [0, -1, 10**9, 1.5, None],
    "slices": [0, 10**6],
    "patch": [[0, 32], [-1, 32], [10**9, 10**9], [32]],
    "values": [[-1, 1], [0, 2**40], [0.5]],
    "names": [{"-1": "x"}, {"a": "x"}, {"1": "x" * 2000}, {"1": 5}],
    "ndim": [1, 4, "2"],
    "normalisation": [
        [], [{"scale": 0}], [{"scale": -1}], [{"scale": float("nan")}], [{"shift": float("inf")}],
        [{"percentiles": [-5, 200]}], [{"scheme": "eval"}],
    ],
    "format": [10**6, "x", None],
    "activation": ["__import__('os')"],
    "unknown": [1],
}  # fmt: skip


class Boom:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def load(folder, **changes):
    (folder / MODEL).write_text(json.dumps({**CARD, **changes}))
    return Checkpoint.load(folder)


def test_the_card_is_read(tmp_path):
    assert load(tmp_path).names == {1: "cell"}


@pytest.mark.parametrize(("key", "value"), [(k, v) for k, vs in WRONG.items() for v in vs])
def test_cards_without_sense_are_refused(tmp_path, key, value):
    with pytest.raises(FormatError, match=r"model\.json"):
        load(tmp_path, **{key: value})


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[]", "null", "{", chr(0), f'"{"x" * 2**25}"'], ids=range(6)
)
def test_cards_that_are_none_are_refused(tmp_path, text):
    (tmp_path / MODEL).write_text(text)
    with pytest.raises(FormatError, match=r"model\.json"):
        Checkpoint.load(tmp_path)


def test_pickled_weights_run_nothing(tmp_path):
    import torch

    from napari_segment.deep.nn.models._weights import read_weights
    from napari_segment.deep.training.state_torch import load_state

    ran = tmp_path / "ran"
    (tmp_path / WEIGHTS).write_bytes(pickle.dumps(Boom(ran)))
    with pytest.raises(FormatError):
        load_tensors(tmp_path / WEIGHTS)
    torch.save({"w": Boom(ran)}, tmp_path / "w.pth")
    with pytest.raises(FormatError):
        load_state(tmp_path / "w.pth")
    with pytest.raises(FormatError, match=r"w\.pth"):
        read_weights(tmp_path / "w.pth")
    assert not ran.exists()


def test_weights_are_those_that_were_published(tmp_path):
    file = tmp_path / "net.pth"
    file.write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    assert published.verified(file, digest) == file
    assert published.verified(file, digest[:8]) == file
    file.write_bytes(b"other weights")
    with pytest.raises(FormatError, match=r"SHA-256 begins with .* Delete it"):
        published.verified(file, digest[:8])


def test_every_file_of_torchvision_names_its_hash():
    from torchvision.models.detection import (
        MaskRCNN_ResNet50_FPN_V2_Weights,
        MaskRCNN_ResNet50_FPN_Weights,
    )

    from napari_segment.deep.nn.models._torchvision import _BUILDERS

    urls = [known.DEFAULT.url for _, known in _BUILDERS.values()]
    urls += [
        MaskRCNN_ResNet50_FPN_Weights.COCO_V1.url,
        MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1.url,
    ]
    assert all(len(published.published_digest(url)) == 8 for url in urls)


def test_a_changed_file_in_the_cache_is_not_loaded(tmp_path, monkeypatch):
    import torch

    from napari_segment.deep.nn.models import _torchvision

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "resnet50-11ad3fa6.pth").write_bytes(b"no weights")
    with pytest.raises(FormatError, match="11ad3fa6"):
        _torchvision._downloaded("fcn_resnet50", "https://x.invalid/resnet50-11ad3fa6.pth")


def test_a_changed_file_in_the_cache_of_the_hub_is_not_loaded(tmp_path, monkeypatch):
    """The cache names large files by their SHA-256; every use compares it, not the first alone."""
    import huggingface_hub

    from napari_segment.deep.nn.models.smp import _encoders

    content = b"weights" * 99
    blob = tmp_path / hashlib.sha256(content).hexdigest()
    blob.write_bytes(content)
    link = tmp_path / "model.safetensors"
    link.symlink_to(blob)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: str(link))
    assert _encoders._from_hub("resnet18", "imagenet") == link
    blob.write_bytes(b"others?" * 99)
    with pytest.raises(FormatError, match="not the file of weights that was published"):
        _encoders._from_hub("resnet18", "imagenet")
