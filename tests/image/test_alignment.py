"""Two stacks on one grid: turned exactly, resampled with a warning, or refused."""

from functools import cache
from itertools import permutations, product

import numpy as np
import pytest

import napari_segment as ns
from napari_segment.errors import AlignmentWarning, GeometryError
from napari_segment.image import Image, Labels, align
from napari_segment.io import read_labels
from napari_segment.io.datasets.pairs import Pairs

AFFINE = np.array([[2.0, 0, 0, 10], [0, 0.5, 0, -3], [0, 0, 0.25, 7], [0, 0, 0, 1]])
ORIENTATIONS = [
    (order, signs) for order in permutations(range(3)) for signs in product((1, -1), repeat=3)
]


def stored(array, affine, order, signs):
    """The same anatomy in another order and direction of axes, with the affine that says so."""
    steps = tuple(slice(None, None, s) for s in signs)
    turned = array[steps].transpose(order)
    flip = np.eye(4)
    for axis, (sign, size) in enumerate(zip(signs, array.shape, strict=True)):
        flip[axis, axis] = sign
        flip[axis, 3] = size - 1 if sign < 0 else 0
    permute = np.eye(4)[:, [*order, 3]]
    return turned, affine @ flip @ permute


@pytest.fixture
def anatomy():
    rng = np.random.default_rng(0)
    labels = np.zeros((5, 7, 9), np.uint16)
    labels[1:3, 2:5, 1:6] = 4
    labels[3:, 5:, 6:] = 9
    return rng.integers(0, 1000, labels.shape).astype(np.int16), labels


@pytest.mark.parametrize(("order", "signs"), ORIENTATIONS)
def test_each_of_48_orientations_is_turned_exactly(anatomy, order, signs):
    pixels, array = anatomy
    image = Image(pixels, "ZYX", affine=AFFINE, unit="millimeter")
    turned, affine = stored(array, AFFINE, order, signs)
    labels = Labels(turned, "ZYX", affine=affine, unit="millimeter", holds="classes")
    np.testing.assert_array_equal(align(labels, image).data, array)

    straight = ns.measure(Labels(array, "ZYX", affine=AFFINE, unit="millimeter"), image)
    table = ns.measure(labels, image)
    np.testing.assert_allclose(table["mean_intensity"], straight["mean_intensity"])
    reference = Labels(array, "ZYX", affine=AFFINE, unit="millimeter", holds="classes")
    assert ns.compare(labels, reference).summary["mean_dice"] == 1
    _, read = Pairs.of([(image, labels)]).read(0)
    np.testing.assert_array_equal(read.data, array)


def test_maps_and_boxes_turn_with_their_labels(anatomy):
    pixels, array = anatomy
    target = Image(pixels, "ZYX", affine=AFFINE)
    turned, affine = stored(array, AFFINE, (0, 1, 2), (1, -1, 1))
    entropy, _ = stored(pixels.astype(np.float32), AFFINE, (0, 1, 2), (1, -1, 1))
    box = {"label": np.array([4]), "bbox_y_start": np.array([2]), "bbox_y_stop": np.array([5])}
    labels = Labels(
        turned, "ZYX", affine=affine, features=box,
        maps={"entropy": Image(entropy, "ZYX", affine=affine)},
    )  # fmt: skip
    actual = align(labels, target)
    np.testing.assert_array_equal(actual.maps["entropy"].data, pixels)
    assert actual.features["bbox_y_start"][0] == 2  # of 7 rows, 2 to 5 reversed is 2 to 5
    assert actual.features["bbox_y_stop"][0] == 5


def test_channels_and_time_points_stay_where_they_are(anatomy):
    pixels, array = anatomy
    image = Image(np.stack([pixels, pixels]), "CZYX", affine=AFFINE)
    turned, affine = stored(array, AFFINE, (0, 1, 2), (-1, 1, 1))
    np.testing.assert_array_equal(align(Labels(turned, "ZYX", affine=affine), image).data, array)
    film = Labels(np.stack([turned, 0 * turned]), "TZYX", affine=affine)
    target = Image(np.stack([pixels, pixels]), "TZYX", affine=AFFINE)
    actual = align(film, target)
    np.testing.assert_array_equal(actual.data[0], array)
    assert not actual.data[1].any()


def test_lazy_labels_stay_lazy_when_they_are_turned(anatomy):
    da = pytest.importorskip("dask.array")
    pixels, array = anatomy
    turned, affine = stored(array, AFFINE, (2, 0, 1), (-1, 1, -1))
    labels = Labels(da.from_array(turned, chunks=3), "ZYX", affine=affine)
    actual = align(labels, Image(pixels, "ZYX", affine=AFFINE))
    assert actual.is_lazy
    np.testing.assert_array_equal(actual.data.compute(), array)


def test_units_are_converted_before_positions_are_compared(anatomy):
    pixels, array = anatomy
    scale = np.diag([1e3, 1e3, 1e3, 1])
    labels = Labels(array, "ZYX", affine=scale @ AFFINE, unit="nanometer")
    image = Image(pixels, "ZYX", affine=AFFINE, unit="micrometer")
    actual = align(labels, image)
    assert actual.unit == "micrometer"
    np.testing.assert_array_equal(actual.data, array)


def test_positions_rounded_by_files_are_the_same(anatomy):
    pixels, array = anatomy
    near = AFFINE.copy()
    near[:3, 3] += [0.1, 0.01, 0.01]
    actual = align(Labels(array, "ZYX", affine=near), Image(pixels, "ZYX", affine=AFFINE))
    np.testing.assert_array_equal(actual.data, array)


def test_another_grid_is_resampled_as_simpleitk_does(anatomy):
    sitk = pytest.importorskip("SimpleITK")
    pixels, array = anatomy
    angle = np.deg2rad(20)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    oblique = turn @ np.diag([1.3, 0.7, 0.4, 1.0])
    oblique[:3, 3] = [9.7, -3.1, 6.8]
    image = Image(pixels, "ZYX", affine=AFFINE)
    with pytest.warns(AlignmentWarning, match="nearest neighbour"):
        actual = align(Labels(array, "ZYX", affine=oblique), image)

    def itk(data, affine):
        """SimpleITK counts axes from X."""
        result = sitk.GetImageFromArray(data)
        linear = affine[:3, :3][::-1, ::-1]
        spacing = np.linalg.norm(linear, axis=0)
        result.SetSpacing(spacing.tolist())
        result.SetDirection((linear / spacing).ravel().tolist())
        result.SetOrigin(affine[:3, 3][::-1].tolist())
        return result

    right = sitk.Resample(
        itk(array, oblique), itk(pixels, AFFINE), sitk.Transform(), sitk.sitkNearestNeighbor, 0
    )
    assert (sitk.GetArrayFromImage(right) == actual.data).mean() > 0.99
    assert actual.data.any()


def test_labels_elsewhere_are_refused_with_both_geometries(anatomy):
    pixels, array = anatomy
    far = AFFINE.copy()
    far[0, 3] += 500
    image = Image(pixels, "ZYX", affine=AFFINE, unit="millimeter")
    labels = Labels(array, "ZYX", affine=far, unit="millimeter")
    for call in (
        lambda: ns.measure(labels, image),
        lambda: ns.compare(labels, Labels(array, "ZYX", affine=AFFINE, unit="millimeter")),
        lambda: Pairs.of([(image, labels)]).read(0),
        lambda: ns.consensus([Labels(array, "ZYX", affine=AFFINE), labels.replace(unit="pixel")]),
    ):
        with pytest.raises(GeometryError, match=r"do not overlap.*Z 510 to 518.*Z 10 to 18"):
            call()


def test_markers_are_brought_onto_the_image():
    pixels = np.zeros((20, 30))
    pixels[5:15, 3:12] = pixels[5:15, 14:25] = 1
    affine = np.diag([0.5, 0.5, 1])
    image = Image(pixels, "YX", affine=affine)
    marks = np.zeros(pixels.shape, np.uint8)
    marks[10, 5], marks[10, 20] = 1, 2
    flip = affine @ np.array([[1, 0, 0], [0, -1, 29], [0, 0, 1.0]])
    turned = Labels(marks[:, ::-1].copy(), "YX", affine=flip)
    straight = ns.segment(image, "watershed", markers=Labels(marks, "YX", affine=affine))
    np.testing.assert_array_equal(
        ns.segment(image, "watershed", markers=turned).data, straight.data
    )


def test_without_a_position_shape_and_spacing_decide():
    image = Image(np.zeros((4, 5)), "YX", spacing=(1, 1), unit="micrometer")
    plain = align(Labels(np.ones((4, 5), np.uint8), "YX"), image)
    assert plain.spacing == (1, 1)
    assert plain.unit == "micrometer"
    with pytest.raises(GeometryError, match="spacing of the labels is not"):
        align(Labels(np.ones((4, 5), np.uint8), spacing=(2, 2), unit="micrometer"), image)
    with pytest.raises(GeometryError, match=r"\(5, 4\).*\(4, 5\)"):
        align(Labels(np.ones((5, 4), np.uint8), "YX"), image)


def test_axes_of_length_one_come_and_go():
    image = Image(np.zeros((1, 4, 5)), "ZYX")
    assert align(Labels(np.ones((4, 5), np.uint8), "YX"), image).shape == (1, 4, 5)
    flat = Image(np.zeros((4, 5)), "YX")
    assert align(Labels(np.ones((1, 1, 4, 5), np.uint8), "TZYX"), flat).shape == (4, 5)
    with pytest.raises(GeometryError, match="axes of the labels are ZYX"):
        align(Labels(np.ones((2, 4, 5), np.uint8), "ZYX"), flat)


def test_large_ids_survive_resampling():
    big = 2**40 + 1
    labels = Labels(np.full((4, 4), big, np.int64), "YX", affine=np.diag([2.0, 2, 1]))
    with pytest.warns(AlignmentWarning):
        actual = align(labels, Image(np.zeros((7, 7)), "YX", affine=np.eye(3)))
    assert set(np.unique(actual.data)) == {big}


@pytest.mark.realdata
@pytest.mark.parametrize(("order", "signs"), ORIENTATIONS)
def test_the_liver_has_its_density_in_any_orientation(real_data, order, signs):
    image, labels = _ct(real_data)
    liver = labels.replace(data=(labels.data == 5).astype(np.uint8))
    turned, affine = stored(liver.data, liver.affine, order, signs)
    table = ns.measure(liver.replace(data=turned, affine=affine, spacing=()), image)
    assert table["mean_intensity"].iloc[0] == pytest.approx(89.3, abs=1)


@cache
def _ct(folder):
    labels = read_labels(folder / "ct" / "example_seg_dicom.nii.gz", holds="classes")
    return ns.read(folder / "dicom_ct"), labels
