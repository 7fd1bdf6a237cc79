"""A folder for each case, with a file for each modality."""

import numpy as np
import pytest

from napari_segment import io
from napari_segment.image import Image, Labels
from napari_segment.io.datasets import open_layout
from napari_segment.io.datasets.pairs import Pairs


@pytest.mark.parametrize("divider", ["_", "-"])
def test_cases_of_several_modalities(tmp_path, divider, rng):
    for name in ("case-10", "case-2"):
        for kind in ("t1", "flair", "seg"):
            data = rng.integers(0, 4, (3, 4, 5)).astype(np.uint8)
            stack = Labels(data, "ZYX") if kind == "seg" else Image(data, "ZYX")
            path = tmp_path / name / f"{name}{divider}{kind}.nii.gz"
            io.write(stack.replace(unit="millimeter"), path)
    io.write(Image(data, "ZYX"), tmp_path / f"case-3/case-3{divider}t1.nii.gz")
    pairs = Pairs.of(tmp_path)
    assert [c.name for c in pairs] == ["case-2", "case-10"]
    assert "the channels are flair, t1" in pairs.notes[0]
    assert "case-3 has no file" in pairs.notes[1]
    image, labels = pairs.read(0)
    assert (image.axes, image.shape, labels.shape) == ("CZYX", (2, 3, 4, 5), (3, 4, 5))
    flair = io.read(tmp_path / f"case-2/case-2{divider}flair.nii.gz")
    np.testing.assert_array_equal(image.data[0], flair.data)
    one = open_layout(tmp_path, ("nested_cases", {"modalities": "t1"}))
    assert one.read(0)[0].axes == "ZYX"
