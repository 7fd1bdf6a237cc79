"""Stored pixel classifiers."""

import json

import pytest

from napari_segment.classical.classifier.model import PixelClassifier
from napari_segment.errors import FormatError


def test_a_damaged_folder_is_refused(trained, tmp_path):
    with pytest.raises(FormatError, match=r"no model\.json"):
        PixelClassifier.load(tmp_path)
    card = json.loads((trained.folder / "model.json").read_text())
    for changes, match in (
        ({"kind": "network"}, "no pixel classifier"),
        ({"scales": []}, "scales"),
    ):
        (tmp_path / "model.json").write_text(json.dumps(card | changes))
        with pytest.raises(FormatError, match=match):
            PixelClassifier.load(tmp_path)
    (tmp_path / "model.json").write_text(json.dumps(card | {"scales": [1.0]}))
    (tmp_path / "forest.safetensors").write_bytes(
        (trained.folder / "forest.safetensors").read_bytes()
    )
    with pytest.raises(FormatError, match="made of two"):
        PixelClassifier.load(tmp_path).forest()
    (tmp_path / "forest.safetensors").write_bytes(b"not tensors")
    with pytest.raises(FormatError, match="Cannot read the trees"):
        PixelClassifier.load(tmp_path).forest()
