"""The nuclei of the Data Science Bowl 2018 as they lie on disk."""

import numpy as np
from shared.pictures import PHOTO, save

from napari_segment.io.datasets.pairs import Pairs


def test_data_science_bowl(tmp_path):
    for name, count in (("b", 2), ("a", 1), ("empty", 0)):
        save(tmp_path / name / f"images/{name}.png", PHOTO)
        for i in range(count):
            mask = np.zeros((4, 5), np.uint8)
            mask[i] = 255
            save(tmp_path / name / f"masks/{i}.png", mask)
    pairs = Pairs.of(tmp_path)
    assert [c.name for c in pairs] == ["a", "b"]
    assert pairs.read(1)[1].data[:, 0].tolist() == [1, 2, 0, 0]
    assert "empty has 1 images and 0 masks" in pairs.notes[1]
