"""Sequences of the Cell Tracking Challenge written and read again."""

import numpy as np
import pytest

from napari_segment import api
from napari_segment.errors import FormatError
from napari_segment.image import Image, Labels
from napari_segment.io.contents import LINEAGE
from napari_segment.io.datasets.case import Case
from napari_segment.io.datasets.pairs import Pairs, open_layout


def moving(rng):
    """Two sequences; in the first, cell 1 divides into 2 and 3 at time 2."""
    data = np.zeros((4, 20, 22), np.uint16)
    for time in range(2):
        data[time, 5:9, 4 + time : 8 + time] = 1
    for time in range(2, 4):
        data[time, 3:6, 7:10], data[time, 9:12, 7:10] = 2, 3
    lineage = ((1, 0, 1, 0), (2, 2, 3, 1), (3, 2, 3, 1))
    cases = []
    for name, header in (("first", {LINEAGE: lineage}), ("second", {})):
        image = Image(rng.integers(0, 255, data.shape).astype(np.uint8), "TYX")
        cases.append(Case(name, image, Labels(data, "TYX", header=header)))
    return Pairs(tuple(cases), "objects", {}), lineage


def test_sequences_with_their_lineage(tmp_path, rng):
    pairs, lineage = moving(rng)
    folder = api.convert_pairs(pairs, tmp_path / "new", layout="cell_tracking")
    actual = open_layout(folder, ("cell_tracking", {"truth": "TRA"}))
    assert [case.name for case in actual] == ["01", "02"]
    for i, parents in enumerate((lineage, tuple((*row[:3], 0) for row in lineage))):
        image, labels = actual.read(i)
        np.testing.assert_array_equal(image.data, pairs.cases[i].image.data)
        np.testing.assert_array_equal(labels.data, pairs.cases[i].labels.data)
        assert labels.header[LINEAGE] == parents
    text = (folder / "01_GT" / "TRA" / "man_track.txt").read_text()
    assert text == "1 0 1 0\n2 2 3 1\n3 2 3 1\n"
    frames = open_layout(folder, "cell_tracking")
    assert len(frames) == 8
    np.testing.assert_array_equal(frames.read(2)[1].data, pairs.cases[0].labels.data[2])


def test_frames_alone(tmp_path, rng):
    pairs, _ = moving(rng)
    stills = tuple(
        Case(f"c{t}", pairs.cases[0].image.take("T", t), pairs.cases[0].labels.take("T", t))
        for t in range(3)
    )
    folder = api.convert_pairs(
        Pairs(stills, "objects", {}), tmp_path / "new", layout="cell_tracking"
    )
    actual = open_layout(folder, "cell_tracking")
    assert [case.name for case in actual] == ["01_t000", "01_t001", "01_t002"]
    for i in range(3):
        np.testing.assert_array_equal(actual.read(i)[1].data, stills[i].labels.data)


def test_what_it_cannot_hold_is_refused(tmp_path, rng):
    plane = np.ones((4, 4), np.uint8)
    case = Case("a", Image(plane, "YX"), Labels(plane, "YX", holds="classes"))
    with pytest.raises(FormatError, match="the labels are classes"):
        api.convert_pairs(Pairs((case,), "classes", {}), tmp_path / "a", layout="cell_tracking")
    many = Case("a", Image(plane, "YX"), Labels(plane.astype(np.uint32) * 70_000, "YX"))
    with pytest.raises(FormatError, match="larger than the 16 bits"):
        api.convert_pairs(Pairs((many,), "objects", {}), tmp_path / "b", layout="cell_tracking")
