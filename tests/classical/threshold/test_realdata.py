"""Thresholds on real nuclei and ovules."""

from __future__ import annotations

from pathlib import Path

import dask.array as da
import numpy as np
import pytest

import napari_segment as ns
from napari_segment.registry import methods

pytestmark = pytest.mark.realdata


def test_otsu_and_split_touching_find_nuclei(real_data: Path) -> None:
    images = sorted((real_data / "dsb2018" / "images").glob("*.png"))[::27]
    scores = []
    for path in images:
        cleanups = ["fill_holes", ("remove_small", {"min_size": 30}), "split_touching"]
        actual = ns.segment(ns.read(path), "otsu", cleanups=cleanups)
        reference = ns.read(real_data / "dsb2018" / "labels" / path.name)
        scores.append(ns.compare(actual, reference).summary["ap50"])
    assert np.mean(scores) > 0.6


@pytest.mark.parametrize("name", ["otsu", "li", "sauvola", "local_mean"])
def test_ovules_on_blocks(real_data: Path, name: str) -> None:
    raw = np.asarray(ns.read(real_data / "ovules" / "1135_mini_raw.tif").data)
    lazy = methods[name](da.from_array(raw, chunks=(33, 41, 100)))
    mask = methods[name](raw)
    np.testing.assert_array_equal(lazy.compute(), mask)
    assert 0.05 < mask.mean() < 0.95
