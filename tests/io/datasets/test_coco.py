import json
import pickle
import re

import numpy as np
import pytest

from napari_segment import io
from napari_segment.errors import FormatError
from napari_segment.image import RGB, Image
from napari_segment.io.datasets import open_layout
from napari_segment.io.datasets.outlines import fill
from napari_segment.io.datasets.pairs import Pairs

SQUARE = [[2.0, 1.0, 6.0, 1.0, 6.0, 4.0, 2.0, 4.0]]  # columns 2 to 5, rows 1 to 3


def dataset(folder, annotations, *, image="images/val/b.png"):
    io.write(Image(np.zeros((20, 30, 3), np.uint8), "YXC", channels=RGB), folder / image)
    content = {
        "images": [
            {"id": 7, "file_name": "b.png", "height": 20, "width": 30},
            {"id": 8, "file_name": "lost.png", "height": 20, "width": 30},
        ],
        "categories": [
            {"id": 90, "name": "cat"},
            {"id": 3, "name": "car"},
            {"id": 17, "name": "dog"},
        ],
        "annotations": [
            {"id": i, "image_id": 7, "category_id": 3, "iscrowd": 0} | a
            for i, a in enumerate(annotations)
        ],
    }
    (folder / "annotations").mkdir()
    (folder / "annotations" / "instances_val.json").write_text(json.dumps(content))
    return folder


def test_polygons_with_gaps_in_the_category_ids(tmp_path):
    big = [[0.0, 0.0, 20.0, 0.0, 20.0, 15.0, 0.0, 15.0]]
    two = [
        [22.0, 0.0, 24.0, 0.0, 24.0, 2.0, 22.0, 2.0],
        [26.0, 0.0, 28.0, 0.0, 28.0, 2.0, 26.0, 2.0],
    ]
    square = {"segmentation": SQUARE, "category_id": 90}
    halves = {"segmentation": two, "category_id": 17}
    pairs = Pairs.of(dataset(tmp_path, [square, {"segmentation": big}, halves]))
    assert (pairs.holds, pairs.names) == ("objects", {1: "car", 2: "dog", 3: "cat"})
    assert pairs[0].classes == {1: 3, 2: 1, 3: 2}
    assert pairs[0].part == "validation"
    assert "The image lost.png is not there; it was left out." in pairs.notes
    image, labels = pairs.read(0)
    assert image.is_rgb
    expected = np.zeros((20, 30), int)
    expected[:15, :20] = 2
    expected[1:4, 2:6] = 1  # the smaller one stays whole
    expected[:2, 22:24] = expected[:2, 26:28] = 3
    np.testing.assert_array_equal(labels.data, expected)
    assert pickle.loads(pickle.dumps(pairs)).read(0)[1].data.max() == 3


@pytest.mark.parametrize("crowds", ["ignore", "unlabelled"])
def test_crowds(tmp_path, crowds):
    crowd = {"size": [20, 30], "counts": [0, 40, 560]}  # the first two columns
    folder = dataset(tmp_path, [{"segmentation": crowd, "iscrowd": 1}, {"segmentation": SQUARE}])
    pairs = open_layout(folder, ("coco", {"crowds": crowds}))
    _, labels = pairs.read(0)
    assert pairs[0].classes == {1: 1}
    assert any("1 regions of instances_val.json are crowds" in n for n in pairs.notes)
    expected = -1 if crowds == "unlabelled" else 0
    assert pairs.ignore_index == (-1 if crowds == "unlabelled" else None)
    assert (labels.data[:, :2] == expected).all()
    assert (labels.data[1:4, 2:6] == 1).all()


def test_runs_go_down_the_columns():
    mask = np.zeros((4, 6), bool)
    mask[1:3, 2:4] = mask[0, 5] = True
    # 9 background, 2 object, 2 background, 2 object, 5 background, 1 object, 3 background
    counts = [9, 2, 2, 2, 5, 1, 3]
    np.testing.assert_array_equal(fill({"size": [4, 6], "counts": counts}, (4, 6)), mask)
    with pytest.raises(FormatError, match="Run lengths of 23 pixels for a picture of 4 x 6"):
        fill({"size": [4, 6], "counts": [20, 3]}, (4, 6))


def packed(counts):
    """COCO's string: each run from the third on as its change from two before, 5 bits a letter."""
    text = ""
    for i, count in enumerate(counts):
        value = count - counts[i - 2] if i > 2 else count
        more = True
        while more:
            bits, value = value & 0x1F, value >> 5
            more = value != (-1 if bits & 0x10 else 0)
            text += chr(bits + (0x20 if more else 0) + 48)
    return text


def test_compressed_runs(rng):
    for _ in range(20):
        mask = rng.random((37, 41)) > rng.random()
        flat = mask.T.ravel()
        edges = np.flatnonzero(np.diff(np.concatenate([[False], flat]))).tolist()
        counts = np.diff([0, *edges, flat.size]).tolist()
        text = packed(counts)
        for counts_as in (text, text.encode()):
            np.testing.assert_array_equal(
                fill({"size": [37, 41], "counts": counts_as}, (37, 41)), mask
            )


def test_a_compressed_run_by_hand():
    """6, 1, 40, 4: 40 is 8 + 32 (letters 'X1'), and 4 is written as 4 - 1 = 3."""
    mask = fill({"size": [3, 17], "counts": "61X13"}, (3, 17))
    assert mask.T.ravel().nonzero()[0].tolist() == [6, 47, 48, 49, 50]


def test_a_json_file_of_other_kind(tmp_path):
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(FormatError, match="lists no images"):
        Pairs.of(tmp_path / "a.json")


@pytest.mark.realdata
def test_real_annotations(realdata):
    """Against COCO's own areas of polygons and boxes of crowds."""
    pairs = Pairs.of(realdata / "coco_tiny")
    assert len(pairs) == 50
    assert len(pairs.names) == 80
    content = json.loads((realdata / "coco_tiny/annotations/instances_val2017.json").read_text())
    sizes = {i["id"]: (i["height"], i["width"]) for i in content["images"]}
    for annotation in content["annotations"]:
        size = sizes[annotation["image_id"]]
        area = fill(annotation["segmentation"], size).sum()
        if annotation["iscrowd"]:  # its box, from the first pixel to the last
            rows, columns = fill(annotation["segmentation"], size).nonzero()
            left, top, width, height = annotation["bbox"]
            assert (columns.min(), rows.min()) == (left, top)
            assert (np.ptp(columns), np.ptp(rows)) == (width, height)
        elif annotation["area"] > 400:
            assert area == pytest.approx(annotation["area"], rel=0.06)
    for case in pairs:
        _, labels = pairs.read(case)
        assert set(np.unique(labels.data)) - {0} <= set(case.classes)


def test_annotations_that_are_broken(tmp_path):
    with pytest.raises(FormatError, match="not as COCO describes it"):
        Pairs.of(dataset(tmp_path / "a", [{"segmentation": SQUARE, "category_id": 4}]))
    with pytest.raises(FormatError, match="A polygon of 5 numbers"):
        fill([[1, 2, 3, 4, 5]], (9, 9))


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ([[395.0, 85.5, 395.0, 85.5]], "three corners"),
        ([[1, 2, 3, 4, 5, 6, 7]], "7 numbers"),
        ([SQUARE[0], [1, 1]], "8, 2 numbers"),
        ([["a", "b", "c", "d", "e", "f"]], "no list of polygons"),
        ([[1, 1, 5, 1, float("nan"), 4]], "no number"),
        ({"size": [32, 32], "counts": [100, 20, 904]}, r"32\], the image of \[20, 30\]"),
        ({"size": [20, 30], "counts": [100, 20]}, "do not fill"),
        ({"size": [20, 30], "counts": [700, -200, 100]}, "do not fill"),
        ({"counts": [600]}, "do not fill"),
        ("outline", "no list of polygons"),
    ],
)  # fmt: skip
def test_odd_outlines_are_left_out_and_named(tmp_path, odd, reason):
    pairs = Pairs.of(dataset(tmp_path, [{"segmentation": SQUARE}, {"segmentation": odd}]))
    assert re.search(
        rf"instances_val\.json, b\.png: annotation 1 .*{reason}", "\n".join(pairs.notes)
    )
    labels = pairs.read(0)[1]
    assert np.unique(labels.data).tolist() == [0, 1]
    assert pairs[0].classes == {1: 1}


def test_a_flat_list_is_one_polygon(tmp_path):
    flat = {"segmentation": [22.0, 0.0, 24.0, 0.0, 24.0, 2.0, 22.0, 2.0]}
    labels = Pairs.of(dataset(tmp_path, [{"segmentation": SQUARE}, flat])).read(0)[1]
    assert (labels.data == 2).sum() == 4
    assert labels.data[:2, 22:24].tolist() == [[2, 2], [2, 2]]
