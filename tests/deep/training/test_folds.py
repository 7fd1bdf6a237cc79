"""Event files, curves and pictures, and folds."""

import numpy as np

from napari_segment.deep.training.folds import cross_validate
from napari_segment.step import run

TINY = ("unet", {"features": (4, 8), "residual_units": 0})


def test_folds_are_trained_one_after_the_other(tmp_path):
    labels = np.zeros((20, 20), np.uint8)
    labels[5:12, 5:15] = 1
    pairs = [(labels + np.float32(i / 50), labels) for i in range(4)]
    actual = run(
        cross_validate(
            pairs, out=tmp_path, folds=2, model=TINY, epochs=1, steps=4, device="cpu", workers=0
        )
    )
    assert [c.folder.name for c in actual] == ["fold_0", "fold_1"]
    assert [c.scores["dice"] >= 0 for c in actual] == [True, True]
    assert (tmp_path / "fold_1" / "curves.csv").exists()
