"""Planes of three directions, linked and joined; cleanups after linking; the doors to it all."""

import json

import numpy as np
import pandas as pd
import pytest

from napari_segment import Image, Labels, consensus, segment, slices_to_label_next, write
from napari_segment.cli import main
from napari_segment.errors import InputError
from napari_segment.io import read_labels


def balls(shape=(24, 26, 28), centres=((6, 6, 6), (6, 19, 20), (18, 12, 13)), radius=5):
    """Balls numbered from 1."""
    grid = np.stack(np.indices(shape), -1)
    labels = np.zeros(shape, np.uint8)
    for i, centre in enumerate(centres, 1):
        labels[((grid - centre) ** 2).sum(-1) <= radius**2] = i
    return labels


LINKED = ("connected_components", "link_planes")


def test_three_directions_agree_on_balls():
    truth = balls()
    image = Image((truth > 0) * 50.0, "ZYX", (2, 1, 0.5), "um")
    labels = segment(image, "otsu", apply_to="directions", cleanups=LINKED)
    assert np.array_equal(labels.data > 0, truth > 0)
    assert labels.data.max() == 3
    assert all(len(np.unique(truth[labels.data == i])) == 1 for i in (1, 2, 3))
    assert labels.spacing == image.spacing
    assert labels.recipe.apply_to == "directions"
    turned = segment(image.transpose("YXZ"), "otsu", apply_to="directions", cleanups=LINKED)
    assert turned.axes == "YXZ"
    assert np.array_equal(turned.transpose("ZYX").data, labels.data)


def test_what_comes_after_linking_takes_volumes():
    truth = balls()
    cleanups = (*LINKED, ("remove_small", {"min_size": 200}), "relabel")
    labels = segment(Image((truth > 0) * 50.0), "otsu", apply_to="plane", cleanups=cleanups)
    assert np.array_equal(labels.data > 0, truth > 0)
    assert labels.data.max() == 3


def test_directions_need_volumes_and_links():
    with pytest.raises(InputError, match="needs a volume"):
        segment(np.eye(20), "otsu", apply_to="directions", cleanups=["link_planes"])
    with pytest.raises(InputError, match="add the cleanup 'link_planes'"):
        segment(balls() * 1.0, "otsu", apply_to="directions")


def test_consensus_is_the_majority():
    one = np.array([[1, 1, 0, 2]])
    two = np.array([[5, 5, 0, 5]])
    three = np.array([[1, 1, 1, 3]])
    assert np.asarray(consensus([one, two, three])).tolist() == [[1, 1, 0, 2]]
    with pytest.raises(InputError, match="on one grid"):
        consensus([one, two.T])


def test_the_command_line_links_and_ranks(tmp_path, capsys):
    frames = np.stack([balls((20, 20), ((6, 6), (13, 13)), 4), balls((20, 20), ((13, 14),), 4)])
    write(Labels(frames, "TYX"), tmp_path / "frames.ome.tif")
    out = tmp_path / "tracks.ome.tif"
    assert (
        main(["track", str(tmp_path / "frames.ome.tif"), "-o", str(out), "--min-overlap", "0.4"])
        == 0
    )
    tracks = read_labels(out).data
    assert tracks[1, 13, 14] == tracks[0, 13, 13] == 2
    assert main(["track", str(out), "-o", str(out), "--max-gap", "-1"]) != 0
    for i in range(3):
        write(Labels(frames[0] * (i + 1)), tmp_path / f"{i}.tif")
    names = [str(tmp_path / f"{i}.tif") for i in range(3)]
    assert main(["consensus", *names, "-o", str(tmp_path / "agreed.tif"), "--iou", "0.5"]) == 0
    assert np.array_equal(read_labels(tmp_path / "agreed.tif").data, frames[0])
    doubt = np.array([0.1, 0.8, 0.9, 0.2, 0.5], np.float32)[:, None, None] * np.ones(
        (5, 4, 4), "f4"
    )
    write(Image(doubt), tmp_path / "doubt.tif")
    capsys.readouterr()
    assert (
        main(["rank", str(tmp_path / "doubt.tif"), "--count", "3", "--apart", "2", "--json"]) == 0
    )
    assert json.loads(capsys.readouterr().out) == [2, 4, 0]
    assert slices_to_label_next(doubt.transpose(1, 0, 2), count=1, axis="Y") == [2]
    assert main(["rank", str(tmp_path / "doubt.tif"), "--axis", "T"]) == 1
    assert "cannot lie along T" in capsys.readouterr().err


def test_compare_writes_a_table_of_objects(tmp_path):
    for folder in ("results", "truth"):
        (tmp_path / folder).mkdir()
        for name in "ab":
            write(Labels(balls()), tmp_path / folder / f"{name}.tif")
    write(Image(balls() * 1.0), tmp_path / "results" / "a.entropy.tif")  # a map, not a result
    table = tmp_path / "objects.csv"
    arguments = [
        "compare",
        str(tmp_path / "results"),
        str(tmp_path / "truth"),
        "--table",
        str(table),
    ]
    assert main(arguments) == 0
    rows = pd.read_csv(table)
    assert rows["case"].tolist() == ["a"] * 3 + ["b"] * 3
    assert (rows["iou"] == 1).all()
