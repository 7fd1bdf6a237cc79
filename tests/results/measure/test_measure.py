import dask.array as da
import numpy as np
import pandas as pd
import pytest
from scipy import ndimage as ndi
from scipy.stats import kurtosis, skew
from skimage import measure as skimage_measure

from napari_segment.errors import InputError, UnknownNameError
from napari_segment.image import Image, Labels
from napari_segment.results.link import track
from napari_segment.results.measure import measure, with_units

SPACING = {2: (0.5, 0.3), 3: (2.0, 0.5, 0.3)}


def objects(ndim, seed=0):
    shape = {2: (60, 83), 3: (20, 31, 27)}[ndim]
    smooth = ndi.gaussian_filter(np.random.default_rng(seed).random(shape), 1.2)
    labels = skimage_measure.label(smooth > np.quantile(smooth, 0.6), connectivity=1)
    labels[labels > 40] = 0
    return (labels * 2).astype(np.uint16)  # with gaps in the numbers


def intensities(shape, dtype=np.uint16):
    return (np.random.default_rng(5).random(shape) * 5000).astype(dtype)


def oracle(labels, image, spacing, *names):
    return skimage_measure.regionprops_table(
        labels, image, properties=("label", *names), spacing=spacing
    )


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_properties_are_those_of_regionprops(ndim, dtype):
    labels, spacing = objects(ndim), SPACING[ndim]
    image = intensities(labels.shape, dtype)
    table = measure(Labels(labels, spacing=spacing), Image(image), properties="all")
    names = {
        "area" if ndim == 2 else "volume": "area", "voxels": "num_pixels", "extent": "extent",
        "equivalent_diameter": "equivalent_diameter_area", "mean_intensity": "mean_intensity",
        "min_intensity": "min_intensity", "max_intensity": "max_intensity",
        "std_intensity": "intensity_std", "major_axis_length": "axis_major_length",
        **{f"centroid_{a}": f"centroid-{i}" for i, a in enumerate("zyx"[3 - ndim :])},
        **{
            f"weighted_centroid_{a}": f"centroid_weighted-{i}"
            for i, a in enumerate("zyx"[3 - ndim :])
        },
        **{f"bbox_{a}_start": f"bbox-{i}" for i, a in enumerate("zyx"[3 - ndim :])},
        **{f"bbox_{a}_stop": f"bbox-{i + ndim}" for i, a in enumerate("zyx"[3 - ndim :])},
    }  # fmt: skip
    expected = oracle(labels, image, spacing, *{n.split("-")[0] for n in names.values()})
    np.testing.assert_array_equal(table["label"], expected["label"])
    for ours, theirs in names.items():
        np.testing.assert_allclose(table[ours], expected[theirs], rtol=1e-5, err_msg=ours)


def test_euler_number_and_minor_axis_in_2d_and_3d():
    for ndim in (2, 3):
        labels = objects(ndim)
        table = measure(labels, properties=("euler_number", "minor_axis_length"))
        expected = [
            skimage_measure.euler_number(labels == i, connectivity=ndim) for i in table["label"]
        ]
        assert table["euler_number"].tolist() == expected
        if ndim == 2:
            theirs = oracle(labels, None, (1, 1), "axis_minor_length")["axis_minor_length"]
            np.testing.assert_allclose(table["minor_axis_length"], theirs, atol=1e-6)


def test_higher_moments_are_those_of_scipy():
    labels = objects(3)
    image = intensities(labels.shape, np.float32) + 1e4
    table = measure(labels, image, properties="intensity")
    for row in table.itertuples():
        inside = image[labels == row.label].astype(float)
        if len(inside) > 3:
            np.testing.assert_allclose(row.skewness_intensity, skew(inside), atol=1e-6)
            np.testing.assert_allclose(row.kurtosis_intensity, kurtosis(inside), atol=1e-6)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 1.0, 1.0), (0.5, 2.0, 1.0)])
@pytest.mark.parametrize("radius", [10, 16])
def test_a_ball_has_its_volume_and_surface(spacing, radius):
    sides = [np.arange(-radius - 2, radius + 2.01, s) + 0.2 for s in spacing]
    ball = sum(x**2 for x in np.meshgrid(*sides, indexing="ij")) <= radius**2
    table = measure(
        Labels(ball, spacing=spacing), properties=("size", "surface", "roundness", "euler_number")
    )
    np.testing.assert_allclose(table["volume"], 4 / 3 * np.pi * radius**3, rtol=0.02)
    np.testing.assert_allclose(table["surface_area"], 4 * np.pi * radius**2, rtol=0.02)
    np.testing.assert_allclose(table["sphericity"], 1, rtol=0.02)
    assert table["euler_number"].tolist() == [1]


def test_perimeter_of_a_disc_with_a_hole():
    y, x = np.mgrid[-40:41, -40:41]
    r = np.hypot(y, x)
    table = measure((r <= 35) & (r > 15), properties="shape")
    np.testing.assert_allclose(table["perimeter"], 2 * np.pi * (35 + 15), rtol=0.02)
    assert table["euler_number"].tolist() == [0]


def test_orientation_of_a_slanted_bar():
    y, x = np.mgrid[:41, :41] - 20
    along, across = (x + y) / 2**0.5, (x - y) / 2**0.5
    bar = (abs(along) < 15) & (abs(across) < 3)
    row = measure(bar, properties=("orientation", "angle", "elongation")).iloc[0]
    np.testing.assert_allclose([row.orientation_y, row.orientation_x], 0.5**0.5, rtol=1e-6)
    np.testing.assert_allclose(row.angle, 45)
    assert row.elongation < 0.3


def test_textures_are_those_of_the_co_occurrence_matrix():
    image = np.random.default_rng(0).integers(0, 64, (9, 12)).astype(np.uint8)
    image[0, :2] = 0, 63
    row = measure(np.ones_like(image), image, properties="texture").iloc[0]
    pairs = [
        (image[y, x], image[y + dy, x + dx])
        for dy, dx in [(0, 1), (1, 0), (1, 1), (1, -1)]
        for y in range(9 - dy)
        for x in range(max(0, -dx), 12 - max(0, dx))
    ]
    i, j = np.array(pairs + [p[::-1] for p in pairs], float).T
    np.testing.assert_allclose(row.texture_contrast, ((i - j) ** 2).mean())
    np.testing.assert_allclose(row.texture_dissimilarity, abs(i - j).mean())
    np.testing.assert_allclose(row.texture_homogeneity, (1 / (1 + (i - j) ** 2)).mean())
    np.testing.assert_allclose(row.texture_correlation, np.corrcoef(i, j)[0, 1])


@pytest.mark.parametrize("chunks", [(7, 31, 10), (20, 4, 27)])
def test_lazy_labels_give_the_same_table(chunks):
    labels, spacing = objects(3), SPACING[3]
    image = intensities(labels.shape)
    expected = measure(Labels(labels, spacing=spacing), image, properties="all")
    lazy = Labels(da.from_array(labels, chunks=chunks), spacing=spacing)
    table = measure(lazy, Image(da.from_array(image, chunks=chunks)), properties="all")
    assert list(table) == list(expected)
    np.testing.assert_allclose(table.to_numpy(float), expected.to_numpy(float), rtol=1e-9)


@pytest.mark.parametrize("which", ["labels", "image", "both"])
def test_details_read_each_block_a_few_times_for_all_objects(which):
    labels = np.kron(np.arange(1, 101).reshape(10, 10), np.pad(np.ones((4, 5), int), 1))
    image = intensities(labels.shape)
    seen = []

    def read(block):
        seen.append(block.shape)
        return block

    def lazy(array):
        return da.from_array(array, chunks=40).map_blocks(read, dtype=array.dtype, meta=array[:0])

    expected = measure(labels, image, properties="detail")
    given = labels if which == "image" else lazy(labels)
    table = measure(given, image if which == "labels" else lazy(image), properties="detail")
    pd.testing.assert_frame_equal(table, expected)
    assert 0 < len(seen) <= 10 * lazy(labels).npartitions


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


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 1.0, 1.0)])
def test_details_of_a_ball(spacing):
    radius = 14
    sides = [np.arange(-radius - 2, radius + 2.01, s) + 0.2 for s in spacing]
    ball = sum(x**2 for x in np.meshgrid(*sides, indexing="ij")) <= radius**2
    row = measure(Labels(ball, spacing=spacing), properties="detail").iloc[0]
    np.testing.assert_allclose(row.mesh_area, 4 * np.pi * radius**2, rtol=0.02)
    np.testing.assert_allclose(row.inscribed_radius, radius, atol=1)
    np.testing.assert_allclose(row.feret_diameter, 2 * radius, atol=np.linalg.norm(spacing) + 0.5)
    assert 0.85 < row.solidity <= 1


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 1.0, 1.0), (2.0, 0.5, 1.0)])
@pytest.mark.parametrize("radius", [8, 14])
def test_mesh_of_balls_between_voxels(spacing, radius):
    random = np.random.default_rng(0)
    for _ in range(3):
        shift = random.uniform(-0.5, 0.5, 3) * spacing
        sides = [
            np.arange(-(radius // s) - 2, radius // s + 3) * s + a
            for s, a in zip(spacing, shift, strict=True)
        ]
        ball = sum(x**2 for x in np.meshgrid(*sides, indexing="ij")) <= radius**2
        row = measure(Labels(ball, spacing=spacing), properties=("mesh_surface",)).iloc[0]
        np.testing.assert_allclose(row.mesh_area, 4 * np.pi * radius**2, rtol=0.02)


def test_details_of_a_box_are_exact():
    box = np.zeros((6, 9, 8), np.uint8)
    box[1:4, 2:8, 2:6] = 3
    image = np.arange(box.size).reshape(box.shape)
    spacing = (2.0, 1.0, 0.5)
    row = measure(Labels(box, spacing=spacing), image, properties=("detail", "size")).iloc[0]
    assert row.convex_volume == row.volume == 6 * 6 * 2
    assert row.solidity == 1
    np.testing.assert_allclose(row.feret_diameter, np.sqrt(36 + 36 + 4))
    assert row.quantile_intensity_q50 == np.median(image[box > 0])
    assert row.quantile_intensity_q25 == np.percentile(image[box > 0], 25)
    contour = measure(box[2], properties=("mesh_surface",)).iloc[0].contour_length
    np.testing.assert_allclose(contour, 20, rtol=0.15)  # the corners are rounded


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
