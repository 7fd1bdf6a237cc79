import dask.array as da
import numpy as np
import pandas as pd
import pytest
from shared.blobs import SPACING, intensities, objects

from napari_segment.errors import InputError, UnknownNameError
from napari_segment.image import Image, Labels
from napari_segment.results.link import track
from napari_segment.results.measure import measure, with_units


@pytest.mark.parametrize("chunks", [(7, 31, 10), (20, 4, 27)])
def test_lazy_labels_give_the_same_table(chunks):
    labels, spacing = objects(3), SPACING[3]
    image = intensities(labels.shape)
    expected = measure(Labels(labels, spacing=spacing), image, properties="all")
    lazy = Labels(da.from_array(labels, chunks=chunks), spacing=spacing)
    table = measure(lazy, Image(da.from_array(image, chunks=chunks)), properties="all")
    assert list(table) == list(expected)
    np.testing.assert_allclose(table.to_numpy(float), expected.to_numpy(float), rtol=1e-9)


def test_time_points_channels_and_class_names():
    labels = np.zeros((2, 4, 5), np.uint8)
    labels[0, 1:3, 1:3], labels[1, :, 4] = 1, 2
    image = Image(
        np.stack([labels * 10.0, labels * 20.0], axis=-1), "TYXC", channels=("red", "green")
    )
    named = Labels(labels, "TYX", holds="classes", names={1: "cell", 2: "edge"}, unit="um")
    table = measure(named, image)
    assert table["time"].tolist() == [0, 1]
    assert table["name"].tolist() == ["cell", "edge"]
    assert table["mean_intensity_red"].tolist() == [10, 20]
    assert table["mean_intensity_green"].tolist() == [20, 40]
    assert table.attrs["units"]["area"] == "um^2"
    assert "area [um^2]" in with_units(table)


@pytest.mark.parametrize("dtype", ["?", "f2", "g", ">f4", ">u2", "i8", "u8"])
def test_intensities_of_any_type(dtype):
    labels = objects(2)
    image = (intensities(labels.shape) % 200).astype(dtype)
    actual = measure(labels, image, properties="all")
    expected = measure(labels, image.astype(np.float64), properties="all")
    pd.testing.assert_frame_equal(actual, expected, check_dtype=False)


def test_a_column_asks_for_its_property():
    labels = objects(3)
    table = measure(labels, properties=["volume", "centroid_x", "sphericity"])
    assert list(table) == list(measure(labels, properties=["size", "centroid", "roundness"]))
    assert {"volume", "centroid_x", "sphericity"} < set(table)


def test_channels_of_one_name_keep_their_columns():
    image = Image(np.stack([np.full((3, 4), 7), np.full((3, 4), 9)]), "CYX", channels=("a", "a"))
    table = measure(np.ones((3, 4), int), image, properties="mean_intensity")
    assert table.loc[0, ["mean_intensity_a_0", "mean_intensity_a_1"]].tolist() == [7, 9]


def test_what_channels_share_is_gathered_once():
    labels, read = objects(2), []

    def look(block):
        read.append(block.shape)
        return block

    def reads(channels):
        lazy = da.from_array(labels, chunks=-1).map_blocks(look, meta=np.empty((0, 0), np.uint16))
        image = Image(np.stack([intensities(labels.shape)] * channels), "CYX")
        read.clear()
        measure(Labels(lazy), image, properties=["mean_intensity"])
        return len(read)

    assert reads(3) == reads(1) + 2  # a pass for the intensities of each


def test_nan_stays_with_its_object():
    labels = np.zeros((4, 6), np.uint8)
    labels[:2], labels[3] = 1, 2
    image = np.arange(24.0).reshape(4, 6)
    clean = measure(labels, image, properties="intensity")
    image[0, 0] = np.nan
    table = measure(labels, image, properties=("intensity", "texture", "quantile_intensity"))
    assert table.loc[0].drop("label").isna().all()
    assert table.loc[1].notna().all()
    np.testing.assert_array_equal(table.loc[1, clean.columns], clean.loc[1])


def test_no_objects_give_an_empty_table_with_all_columns():
    table = measure(np.zeros((4, 5), np.uint8), np.ones((4, 5)), properties="all")
    assert len(table) == 0
    assert {"area", "centroid_y", "texture_contrast"} <= set(table)


def test_errors_say_what_to_do():
    with pytest.raises(InputError, match="shape of the image is"):
        measure(np.ones((4, 5), int), np.ones((4, 6)))
    with pytest.raises(InputError, match="needs an image"):
        measure(np.ones((4, 5), int), properties=("mean_intensity",))
    with pytest.raises(InputError, match="no time points"):
        measure(Labels(np.ones((0, 4, 5), int), "TYX"))
    with pytest.raises(UnknownNameError, match="surface"):
        measure(np.ones((4, 5), int), properties=("surfaces",))


@pytest.mark.parametrize("shape", [(30, 41), (7, 30, 41)])
def test_numbered_labels_are_measured_as_they_are(shape):
    """Labels 1 … n of 32 bits are not copied; others, read-only and gaps give the same."""
    rng = np.random.default_rng(0)
    labels = np.zeros(shape, np.int32)
    labels[..., 5:20, 3:30] = rng.integers(0, 9, (15, 1)) * (rng.random((15, 27)) > 0.4)
    labels[np.unravel_index(range(0, 90, 10), shape)] = range(9)  # none is missing
    image, before = rng.normal(size=shape), labels.copy()
    names = ("size", "bbox", "centroid", "euler_number", "surface", "sum_intensity",
             "std_intensity", "weighted_centroid", "texture_contrast")  # fmt: skip
    expected = measure(Labels(labels * 7, holds="objects"), Image(image), properties=names)
    frozen = labels.copy()
    frozen.setflags(write=False)
    for given in (labels, frozen, labels.astype(">i4"), np.asfortranarray(labels)):
        table = measure(Labels(given, holds="objects"), Image(image), properties=names)
        pd.testing.assert_frame_equal(table.drop(columns="label"), expected.drop(columns="label"))
        assert table["label"].tolist() == [k // 7 for k in expected["label"]]
    np.testing.assert_array_equal(labels, before)
    with pytest.raises(InputError, match="count from 0"):
        measure(Labels(labels - 1, holds="objects"), Image(image), properties=("size",))


# ---- the world ----

ROTATED = np.array([[0.0, -0.5, 0, 3], [2, 0, 0, -7], [0, 0, 0.25, 11], [0, 0, 0, 1]])
SHEARED = np.array([[2.0, 0.3, 0, 0], [0, 0.5, 0.1, 5], [0, 0, -0.25, 1], [0, 0, 0, 1]])


@pytest.mark.parametrize("affine", [np.diag([2.0, 0.5, 0.25, 1]), ROTATED, SHEARED])
def test_centroids_and_boxes_in_the_world(affine):
    data = np.zeros((5, 7, 9), np.uint16)
    data[1:3, 2:5, 1:6] = 4
    data[3:, 5:, 6:] = 2**15 + 1
    table = measure(Labels(data, affine=affine), properties=("centroid_world", "bbox_world"))
    for row, number in enumerate((4, 2**15 + 1)):
        voxels = np.argwhere(data == number)
        points = voxels @ affine[:3, :3].T + affine[:3, 3]
        centroid = table.loc[row, ["centroid_world_z", "centroid_world_y", "centroid_world_x"]]
        np.testing.assert_allclose(centroid.astype(float), points.mean(0))
        low, high = voxels.min(0) - 0.5, voxels.max(0) + 0.5
        corners = np.stack(np.meshgrid(*zip(low, high, strict=True), indexing="ij"), -1)
        corners = corners.reshape(-1, 3) @ affine[:3, :3].T + affine[:3, 3]
        for i, axis in enumerate("zyx"):
            ends = table.loc[row, [f"bbox_world_{axis}_start", f"bbox_world_{axis}_stop"]]
            np.testing.assert_allclose(
                ends.astype(float), [corners[:, i].min(), corners[:, i].max()]
            )


def test_without_an_affine_the_world_is_the_scaled_grid():
    labels = Labels(np.array([[0, 3, 3], [0, 3, 3]]), spacing=(2, 0.5), unit="micrometer")
    table = measure(labels, properties=("centroid", "centroid_world"))
    assert table["centroid_world_y"][0] == table["centroid_y"][0] == 1
    assert table["centroid_world_x"][0] == table["centroid_x"][0] == 0.75
    assert table.attrs["units"]["centroid_world_x"] == "micrometer"


def test_tracks_have_their_positions_in_the_world():
    films = np.zeros((3, 8, 8), np.uint8)
    for time in range(3):
        films[time, 2:4, 1 + time : 4 + time] = 5 - time
    affine = np.array([[0, 2.0, 10], [2, 0, -4], [0, 0, 1]])
    tracks = track(Labels(films, "TYX", affine=affine))
    table = measure(tracks, properties=("centroid_world",))
    assert table["label"].tolist() == [1, 1, 1]
    np.testing.assert_allclose(table["centroid_world_y"], [14, 16, 18])
    np.testing.assert_allclose(table["centroid_world_x"], [1, 1, 1])


@pytest.mark.parametrize("big", [2**31 + 7, 2**32, 2**40 + 1])
def test_numbers_beyond_31_bits_stay_themselves(big):
    data = np.zeros((4, 6), np.int64)
    data[1:3, 1:3], data[1:3, 4:] = big, big + 1
    table = measure(Labels(data))
    assert table["label"].tolist() == [big, big + 1]
    assert table["area"].tolist() == [4, 4]
