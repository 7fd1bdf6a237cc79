"""What the demonstration writes; tests/cli/test_demo.py runs the whole."""

import numpy as np
import pytest

from napari_segment import demo, read, samples
from napari_segment.step import run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    run(demo._classical(folder, demo.Report()))
    return folder


def test_the_table_says_its_units(folder):
    header = (folder / "nuclei.csv").read_text().splitlines()[0]
    assert header.startswith("label,area [micrometer^2],centroid_y [micrometer]")


@pytest.mark.parametrize("number", [1, 14, 15, 20])
def test_no_object_is_drawn_in_grey(tmp_path, number):
    image, truth = samples.nuclei((64, 64), seed=1)
    truth = truth.replace(data=(np.asarray(truth) > 0) * number)
    demo._picture(tmp_path / "a.png", image, {"truth": truth})
    picture = np.asarray(read(tmp_path / "a.png").data)[..., :3].astype(int)
    assert np.ptp(picture, axis=-1).max() > 50


def test_the_plane_shown_is_one_in_which_there_is_something():
    labels = np.zeros((5, 4, 4), int)
    labels[2, :2], labels[4, 3, 3], labels[3, 2, :2] = 1, 2, 2
    assert demo._richest(labels) == 3
    assert demo._richest(labels[0]) is ...
