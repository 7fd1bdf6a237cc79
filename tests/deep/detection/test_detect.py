"""Detectors: anchors, targets, tiles put together, and one short training."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
import torch

from napari_segment import Image, segment
from napari_segment.blocks import overlaps
from napari_segment.deep.detection import tiles_torch as _tile
from napari_segment.deep.detection.anchors import (
    boxes_of,
)
from napari_segment.deep.detection.detect import Limits, detect_merged, paste_mask
from napari_segment.deep.inference import MemoryShortError
from napari_segment.deep.nn import models
from napari_segment.errors import SettingError
from napari_segment.step import run

SMALL = {"width": 16, "proposals_per_image": 32, "max_detections": 50}


def discs(shape, centres, radius):
    """Discs numbered from 1."""
    labels = np.zeros(shape, np.int32)
    y, x = np.ogrid[: shape[0], : shape[1]]
    for i, (cy, cx) in enumerate(centres, 1):
        labels[(y - cy) ** 2 + (x - cx) ** 2 <= radius**2] = i
    return labels


@pytest.mark.parametrize("box", [(3.0, 4.0, 23.0, 18.0), (0.0, 1.3, 13.6, 15.2)])
def test_masks_are_pasted_as_torchvision_does(box):
    from torchvision.models.detection.roi_heads import paste_masks_in_image

    small = torch.from_numpy((discs((28, 28), [(13.5, 13.5)], 11) > 0).astype(np.float32))[
        None, None
    ]
    want = paste_masks_in_image(small, torch.tensor([box]), (32, 32))[0, 0].numpy() >= 0.5
    (y, x), mask = paste_mask(small[0, 0].numpy(), np.array(box), 0.5, (32, 32))
    got = np.zeros((32, 32), bool)
    got[y : y + mask.shape[0], x : x + mask.shape[1]] = mask
    union = (got | want).sum()
    assert (got & want).sum() > 0.8 * union


class Oracle(torch.nn.Module):
    """A detector that knows: every disc of the tile, also those that the border cuts."""

    min_score = 0.05

    def forward(self, image):
        labels = image[0, 0].round().int().numpy()
        boxes = boxes_of(labels)
        masks = []
        for number, y0, x0, y1, x1 in boxes:
            mask = torch.from_numpy((labels[y0:y1, x0:x1] == number).astype(np.float32))
            masks.append(torch.nn.functional.interpolate(mask[None, None], (28, 28), mode="area"))
        return [
            {
                "boxes": torch.from_numpy(boxes[:, [2, 1, 4, 3]].astype(np.float32)),
                "scores": torch.full((len(boxes),), 0.9),
                "labels": torch.ones(len(boxes)),
                "masks": torch.cat(masks) if masks else torch.zeros(0, 1, 28, 28),
            }
        ]


def test_a_thousand_nuclei_come_once_each():
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(np.arange(32), np.arange(32), indexing="ij"), -1).reshape(-1, 2)
    centres = (grid + 0.5) * 32 + rng.uniform(-4, 4, (1024, 2))
    labels = discs((1024, 1024), centres, 11)
    image = labels[None].astype(np.float32)
    one = run(detect_merged(Oracle(), image, Limits(), tile=(256, 256), overlap=0.25))
    assert one.labels.max() == 1024
    for number in (1, 500, 1024):
        inside = one.labels[labels == number]
        assert np.bincount(inside).max() > 0.95 * inside.size


class Knowing(Oracle):
    """An oracle that tells discs of even numbers from those of odd ones."""

    def forward(self, image):
        (actual,) = super().forward(image)
        numbers = boxes_of(image[0, 0].round().int().numpy())[:, 0]
        actual["labels"] = torch.from_numpy(2 - numbers % 2).float()
        actual["scores"] = torch.from_numpy(1 - numbers / 100).float()
        return [actual]


@pytest.fixture
def knowing(tmp_path, monkeypatch):
    """A folder that holds a detector which knows."""
    from napari_segment.deep.checkpoint import Checkpoint
    from napari_segment.deep.planning.label_semantics import Objects
    from napari_segment.deep.planning.normalisation import Normalisation

    Checkpoint(
        folder=tmp_path / "knowing", model={"name": "mask_rcnn"}, ndim=2, channels=("c",),
        channels_out=3, activation="softmax", holds="objects", names={1: "odd", 2: "even"},
        normalisation=(Normalisation(scheme="none"),), patch=(64, 64),
        objects=Objects(target="instances"),
    ).save()  # fmt: skip
    monkeypatch.setattr(Checkpoint, "network", lambda self: Knowing())
    return tmp_path / "knowing"


def test_class_score_and_box_are_features(knowing):
    labels = discs((90, 70), [(20, 20), (45, 50), (70, 20)], 9)
    actual = segment(labels.astype(np.float32), "network", checkpoint=knowing)
    assert actual.names == {1: "odd", 2: "even"}
    features = actual.features
    assert features["class"].tolist() == ["odd", "even", "odd"]
    np.testing.assert_allclose(features["score"], [0.99, 0.98, 0.97], rtol=1e-5)
    boxes = np.stack([features[f"bbox_{n}"] for n in ("y_start", "x_start", "y_stop", "x_stop")], 1)
    assert np.array_equal(boxes, boxes_of(actual.data)[:, 1:])
    big = segment(
        labels.astype(np.float32), "network", checkpoint=knowing, cleanups=["clear_border"]
    )
    assert big.features["label"].tolist() == np.unique(big.data)[1:].tolist()
    with pytest.raises(SettingError, match="gives no map of entropy"):
        segment(labels, "network", checkpoint=knowing, maps=["entropy"])


@pytest.mark.parametrize("device", ["cpu,cpu", "cpu, cpu, cpu"])
def test_several_devices_share_the_tiles(knowing, device):
    labels = discs((150, 130), [(20, 20), (45, 50), (70, 20), (120, 100)], 9).astype(np.float32)
    one = segment(labels, "network", checkpoint=knowing, device="cpu")
    several = segment(labels, "network", checkpoint=knowing, device=device)
    assert np.array_equal(one.data, several.data)
    assert one.features["score"].tolist() == several.features["score"].tolist()


@pytest.mark.parametrize("devices", [("gpu",), ("gpu", "gpu", "cpu")])
def test_a_detector_without_memory_goes_on_on_the_cpu(monkeypatch, devices):
    class Short(Oracle):
        where, calls = "gpu", 0

        def to(self, device):
            self.where = str(device)
            return self

        def forward(self, image):
            self.calls += 1
            if self.where != "cpu" and self.calls > 1:
                raise torch.OutOfMemoryError("no room")
            return super().forward(image)

    monkeypatch.setattr(_tile, "device_of", str)
    monkeypatch.setattr(_tile, "autocast", lambda *_: nullcontext())
    monkeypatch.setattr(_tile, "release_memory", lambda _: None)
    monkeypatch.setattr(torch.Tensor, "to", lambda self, *_: self)
    labels = discs((90, 70), [(20, 20), (45, 50), (70, 20)], 9)
    several = _tile.Detectors(Short(), devices, precision="auto", movable=True)
    messages = []
    work = detect_merged(several, labels[None].astype(np.float32), Limits(), tile=(40, 40))
    while True:
        try:
            messages.append(next(work).message)
        except StopIteration as stop:
            actual = stop.value
            break
    assert sorted(np.bincount(actual.labels.ravel())) == sorted(np.bincount(labels.ravel()))
    assert sum("going on on the CPU" in message for message in messages) == devices.count("gpu")
    assert several.devices == ["cpu"] * len(devices)


def test_a_detector_that_does_not_fit_at_all_is_an_error(knowing, monkeypatch):
    def full(self, image):
        raise MemoryError

    monkeypatch.setattr(Knowing, "forward", full)
    with pytest.raises(MemoryShortError, match="smaller tile"):
        segment(np.zeros((70, 70), np.float32), "network", checkpoint=knowing)


def test_features_of_a_stack_tell_the_plane(knowing):
    plane = discs((60, 60), [(20, 20), (40, 40)], 9).astype(np.float32)
    stack = np.stack([plane, 0 * plane, plane])
    for apply_to in ("auto", "plane"):
        features = segment(stack, "network", checkpoint=knowing, apply_to=apply_to).features
        assert features["label"].tolist() == [1, 2, 3, 4]
        assert features["bbox_z_start"].tolist() == [0, 0, 2, 2]
        assert features["bbox_z_stop"].tolist() == [1, 1, 3, 3]
        assert features["class"].tolist() == ["odd", "even"] * 2


def test_a_detector_sees_the_spacing_of_its_training(knowing):
    from napari_segment.deep.checkpoint import Checkpoint

    checkpoint = Checkpoint.load(knowing)
    checkpoint.model_copy(update={"spacing": (1.0, 1.0), "unit": "micrometer"}).save()
    labels = discs((90, 70), [(20, 20), (45, 50), (70, 20)], 9)
    coarse = segment(labels.astype(np.float32), "network", checkpoint=knowing)
    # Half the spacing: twice as many pixels, which the detector sees on its own grid.
    fine = np.kron(labels, np.ones((2, 2), np.int32)).astype(np.float32)
    image = Image(fine, "YX", (0.5, 0.5), "micrometer")
    actual = segment(image, "network", checkpoint=knowing)
    assert actual.shape == (180, 140)
    assert actual.data.max() == 3
    same = np.kron(coarse.data, np.ones((2, 2), np.uint8))
    assert (actual.data == same).mean() > 0.99
    for name in ("bbox_y_start", "bbox_y_stop", "bbox_x_start", "bbox_x_stop"):
        assert np.abs(actual.features[name] - 2 * coarse.features[name]).max() <= 2


@pytest.mark.slow
def test_a_thousand_nuclei_of_any_size_in_a_large_picture():
    """Discs of 10 to 30 pixels, some of them touching, on borders and corners of tiles."""
    rng = np.random.default_rng(1)
    labels = np.zeros((2048, 2048), np.int32)
    sizes: list[int] = []
    while len(sizes) < 1000:
        radius = int(rng.integers(5, 16))
        y, x = rng.integers(radius, 2048 - radius, 2)
        where = np.s_[y - radius : y + radius + 1, x - radius : x + radius + 1]
        grid = np.arange(-radius, radius + 1)
        disc = grid[:, None] ** 2 + grid**2 <= radius**2
        if not labels[where][disc].any():
            sizes.append(int(disc.sum()))
            labels[where][disc] = len(sizes)
    image = labels[None].astype(np.float32)
    actual = run(detect_merged(Oracle(), image, Limits(), tile=(256, 256), overlap=0.25)).labels
    pairs, voxels = overlaps(labels, actual)
    both = (pairs > 0).all(1)
    actual_sizes = np.bincount(actual.ravel())
    iou = voxels[both] / (
        np.array(sizes)[pairs[both, 0] - 1] + actual_sizes[pairs[both, 1]] - voxels[both]
    )
    matched = pairs[both][iou > 0.7]
    assert actual.max() == 1000
    assert len(np.unique(matched[:, 0])) == len(np.unique(matched[:, 1])) == len(matched) == 1000


# ---- the network ----


@pytest.mark.parametrize("backbone", ["resnet18", "mobilenet"])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_any_channels_any_size(backbone, version):
    network = models.build(
        ("mask_rcnn", {**SMALL, "backbone": backbone, "version": version}), 5, 2, 2
    )
    labels = torch.from_numpy(discs((70, 83), [(20, 20), (40, 60)], 9))[None, None]
    image = torch.randn(1, 5, 70, 83)
    loss = network.train()(image, labels)
    loss.backward()
    assert torch.isfinite(loss)
    with torch.no_grad():
        (actual,) = network.eval()(image)
    assert actual["masks"].shape[1:] == (1, 28, 28)


def test_a_patch_without_objects_teaches_too():
    network = models.build(("mask_rcnn", SMALL), 1, 2, 2).train()
    loss = network(torch.randn(2, 1, 64, 64), torch.zeros(2, 1, 64, 64, dtype=torch.int32))
    assert torch.isfinite(loss)


def test_wrong_anchors_are_refused():
    with pytest.raises(SettingError, match="multiple of 4"):
        models.build(("mask_rcnn", {"anchors": (8.0, 16.0)}), 1, 2, 2)


@pytest.mark.slow
def test_a_short_training_finds_discs(tmp_path):
    from napari_segment import segment
    from napari_segment.deep.training import train

    rng = np.random.default_rng(1)
    pairs = []
    for _ in range(6):
        labels = discs((64, 64), rng.uniform(8, 56, (4, 2)), 7)
        image = (labels > 0) * 100 + rng.normal(0, 5, labels.shape)
        pairs.append((image.astype(np.float32), labels.astype(np.uint16)))
    checkpoint = run(
        train(
            pairs, out=tmp_path / "run", task="objects", epochs=2, steps=12, batch=2, ema=0.9,
            model=("mask_rcnn", SMALL), precision="float32",
        )
    )  # fmt: skip
    assert checkpoint.objects.target == "instances"
    assert len(checkpoint.model.settings["anchors"]) == 8
    labels = segment(pairs[0][0], "network", checkpoint=tmp_path / "run")
    assert labels.holds == "objects"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("store", "results"),
        ("region", (0, 10, 0, 10)),
        ("test_time_augmentation", True),
        ("backend", "onnx"),
    ],
)
def test_settings_that_detectors_do_not_support_are_refused(knowing, tmp_path, name, value):
    value = tmp_path / value if name == "store" else value
    with pytest.raises(SettingError, match=f"'{name}' is not supported"):
        segment(np.zeros((70, 70), np.float32), "network", checkpoint=knowing, **{name: value})
    assert not (tmp_path / "results").exists()
