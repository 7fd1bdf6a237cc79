"""What a method gives besides its labels goes through planes, times, cleanups and files."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest

from napari_segment import io
from napari_segment.api import read, segment, track, write
from napari_segment.errors import InputError
from napari_segment.image import Image, Labels
from napari_segment.registry import Result, load_plugins, methods
from napari_segment.results.features import concatenated, followed
from napari_segment.worker.stacks import load_stack, save_stack


@pytest.fixture
def telling():
    """A method that numbers bright rows as objects and says what it knows of them."""
    load_plugins()
    before = methods.snapshot()

    @methods.add("telling", title="Telling", gives="objects", ndim=(2,))
    def telling(image):
        """Objects with features and maps."""
        rows = np.flatnonzero(image.max(1))
        labels = np.zeros(image.shape, np.uint8)
        labels[rows] = np.arange(1, len(rows) + 1)[:, None] * (image[rows] > 0)
        features = {
            "label": np.arange(1, len(rows) + 1),
            "score": image.max(1)[rows] / 100,
            "bbox_y_start": rows,
        }
        maps = {"doubt": image / 100, "both": np.stack([image, 1 - image])}
        return Result(labels, "objects", features=features, maps=maps, channels=("a", "b"))

    yield
    methods.restore(before)


STACK = np.array([[[10, 0], [0, 0], [20, 20]], [[0, 0], [30, 30], [0, 0]]], float)


def test_planes_of_a_volume(telling):
    labels = segment(Image(STACK, "ZYX", (2, 1, 1)), "telling")
    assert labels.data.max() == 3
    features = {name: column.tolist() for name, column in labels.features.items()}
    assert features == {
        "label": [1, 2, 3], "bbox_z_start": [0, 0, 1], "bbox_z_stop": [1, 1, 2],
        "score": [0.1, 0.2, 0.3], "bbox_y_start": [0, 2, 1],
    }  # fmt: skip
    assert labels.maps["doubt"].axes == "ZYX"
    assert labels.maps["doubt"].spacing == (2, 1, 1)
    assert labels.maps["both"].axes == "CZYX"
    assert labels.maps["both"].channels == ("a", "b")
    np.testing.assert_array_equal(labels.maps["both"].channel("a"), STACK)


def test_times_and_the_order_of_axes(telling):
    labels = segment(Image(STACK.transpose(1, 2, 0), "YXT"), "telling")
    assert labels.axes == "YXT"
    assert labels.features["time"].tolist() == [0, 0, 1]
    assert labels.features["label"].tolist() == [1, 2, 1]
    assert labels.maps["doubt"].axes == "YXT"
    second = labels.take("T", 1)
    assert {n: c.tolist() for n, c in second.features.items()} == {
        "label": [1], "score": [0.3], "bbox_y_start": [1],
    }  # fmt: skip
    assert second.maps["both"].axes == "CYX"
    tracked = track(segment(Image(STACK, "TYX"), "telling"))
    assert tracked.features["label"].tolist() == [1, 2, 3]


def test_cleanups_take_the_features_along(telling):
    labels = segment(
        STACK,
        "telling",
        cleanups=[("remove_small", {"min_size": 2}), ("relabel", {"order": "size"})],
    )
    assert labels.features["label"].tolist() == [1, 2]
    assert labels.features["score"].tolist() == [0.2, 0.3]
    as_mask = Labels(STACK > 0, holds="mask")
    assert followed(labels.features, labels, as_mask) == {}


def test_linked_objects_take_the_features_of_their_largest_plane(telling):
    stack = np.array([[[10, 0]], [[20, 20]]], float)
    linked = segment(stack, "telling", apply_to="plane", cleanups=["link_planes"])
    assert linked.data.max() == 1
    assert linked.features["score"].tolist() == [0.2]


def test_followed_is_the_same_for_lazy_labels():
    before = np.array([[3, 3, 3, 8, 8], [3, 0, 0, 8, 0]])
    after = np.array([[1, 1, 2, 2, 2], [1, 0, 0, 4, 0]])
    features = {"label": np.array([8, 3]), "class": np.array(["disc", "ring"])}
    table = followed(features, Labels(before), Labels(after))
    assert table["label"].tolist() == [1, 2, 4]
    assert table["class"].tolist() == ["ring", "disc", "disc"]
    lazy = [Labels(da.from_array(a, chunks=(1, 2))) for a in (before, after)]
    again = followed(features, *lazy)
    assert {n: c.tolist() for n, c in again.items()} == {n: c.tolist() for n, c in table.items()}


def test_columns_that_not_all_have_are_left_out():
    parts = [{"label": np.array([1]), "score": np.array([0.5])}, {}, {"label": np.array([2])}]
    assert {n: c.tolist() for n, c in concatenated(parts).items()} == {"label": [1, 2]}


@pytest.mark.parametrize("features", [{"score": [1.0]}, {"label": [1], "score": [0.1, 0.2]}])
def test_broken_features_are_refused(features):
    with pytest.raises(InputError, match="columns of one length"):
        Labels(np.zeros((2, 2), int), features=features)


@pytest.mark.parametrize("name", ["a.ome.tif", "a.nii.gz", "a.png", "a.ome.zarr"])
def test_files_next_to_the_labels(telling, tmp_path, name):
    labels = segment(STACK[0], "telling")
    write(labels, tmp_path / name)
    table = pd.read_csv(tmp_path / "a.features.csv")
    assert table["score"].tolist() == [0.1, 0.2]
    back = read(io.map_path(tmp_path / name, "doubt"))
    np.testing.assert_allclose(back.data, STACK[0] / 100, rtol=1e-6)
    assert read(io.map_path(tmp_path / name, "both")).size("C") == 2


@pytest.mark.parametrize("memory", [True, False])
def test_the_worker_hands_everything_over(telling, tmp_path, memory):
    labels = segment(STACK, "telling").replace(values=(0, 4))
    back = load_stack(save_stack(labels, tmp_path, "a"), memory=memory)
    assert back.values == (0, 4)
    assert back.features.keys() == labels.features.keys()
    np.testing.assert_array_equal(back.features["score"], labels.features["score"])
    assert back.maps["both"].channels == ("a", "b")
    np.testing.assert_array_equal(back.maps["doubt"].data, STACK / 100)
