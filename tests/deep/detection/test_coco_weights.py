"""COCO weights without network access."""

from __future__ import annotations

import pytest

from napari_segment.deep.nn import models
from napari_segment.errors import MissingError, SettingError


def test_coco_weights_offline_say_where_to_put_them(monkeypatch, tmp_path):
    from napari_segment.deep.detection import coco_weights as coco

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(coco, "_responds", lambda url: False)
    with pytest.raises(MissingError, match="put it at"):
        models.build(("mask_rcnn", {"weights": "coco", "backbone": "torchvision"}), 3, 91, 2)
    with pytest.raises(SettingError, match="belong to"):
        models.build(("mask_rcnn", {"weights": "coco"}), 3, 91, 2)
    assert coco.class_names()[1] == "person"
    assert len(coco.class_names()) == 80
