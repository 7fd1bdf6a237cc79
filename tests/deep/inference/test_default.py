"""The default network from pairs to labels: trained for two steps, saved, read, used."""

import numpy as np
import pytest

from napari_segment import Image, Labels, segment, train
from napari_segment.cli import main
from napari_segment.io import read_labels, write
from napari_segment.step import run


@pytest.mark.slow
def test_train_and_segment_with_all_defaults(tmp_path):
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(2):
        labels = np.zeros((18, 20, 22), np.uint8)
        labels[5:12, 6:14, 7:15] = 1
        image = labels * 100 + rng.normal(20, 5, labels.shape)
        size = {"axes": "ZYX", "spacing": (2.0, 1.0, 1.0), "unit": "micrometer"}
        pairs.append((Image(image, **size), Labels(labels, holds="classes", **size)))
    checkpoint = run(
        train(pairs, out=tmp_path / "run", epochs=1, steps=2, batch=1, patch=(16, 16, 16),
              device="cpu", workers=0)
    )  # fmt: skip
    image = pairs[0][0]
    labels = segment(image, "network", checkpoint=checkpoint.folder, maps=["entropy"])
    assert labels.shape == image.shape
    assert set(np.unique(labels.data)) <= {0, 1}
    assert np.isfinite(labels.maps["entropy"].data).all()
    write(image, tmp_path / "image.nii.gz")
    out = tmp_path / "out.nii.gz"
    arguments = ["segment", "network", str(tmp_path / "image.nii.gz"), "-o", str(out)]
    crf = "dense_crf:unary=probabilities,iterations=1"
    more = ["--checkpoint", str(checkpoint.folder), "--maps", "probabilities", "--cleanup", crf]
    assert main([*arguments, *more]) == 0
    assert read_labels(out).shape == image.shape
    assert (tmp_path / "out.probabilities.nii.gz").exists()
    without = [*arguments, "--checkpoint", str(checkpoint.folder), "--cleanup", crf]
    assert main(without) == 1
