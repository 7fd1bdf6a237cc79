"""A pixel classifier that several modules of tests use."""

import pytest
from shared.strokes import strokes_of

import napari_segment as ns
from napari_segment import samples
from napari_segment.step import run


@pytest.fixture(scope="session")
def cells():
    return samples.cells((20, 64, 64), seed=1)


@pytest.fixture(scope="session")
def trained(cells, tmp_path_factory):
    image, labels = cells
    out = tmp_path_factory.mktemp("classifier") / "cells"
    return run(ns.train_classifier([(image, strokes_of(labels))], out=out, background=1, trees=40))
