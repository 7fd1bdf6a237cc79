"""The demonstration."""

import pytest

from napari_segment.demo import run_demo
from napari_segment.step import run

pytestmark = pytest.mark.slow


def test_the_demonstration_segments_well(tmp_path):
    report = run(run_demo(tmp_path))
    assert all(path.exists() for path in report.files)
    assert report.scores["F1 of the nuclei at IoU 0.5"] > 0.95
    assert report.scores["the same by the bundled network"] > 0.9
    assert report.scores["mean Dice of the network"] > 0.8
