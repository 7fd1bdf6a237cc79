import nrrd
import numpy as np
import pytest

from napari_segment import io
from napari_segment.errors import FormatError
from napari_segment.image import RGB, Labels


def test_as_slicer_writes(tmp_path, rng):
    """Left-posterior-superior, oblique; checked through the position of a voxel."""
    data = rng.integers(0, 99, (6, 7, 8)).astype(np.int16)
    directions, origin = rng.normal(size=(3, 3)), np.array([1.0, 2, 3])
    nrrd.write(str(tmp_path / "a.nrrd"), data, {
        "space": "left-posterior-superior", "space directions": directions,
        "space origin": origin, "kinds": ["domain"] * 3, "space units": ["mm"] * 3,
    })  # fmt: skip
    actual = io.read(tmp_path / "a.nrrd")
    assert (actual.shape, actual.unit) == ((8, 7, 6), "millimeter")
    x, y, z = 5, 2, 7
    assert actual.data[z, y, x] == data[x, y, z]
    lps = origin + x * directions[0] + y * directions[1] + z * directions[2]
    expected = (lps * (-1, -1, 1))[::-1]
    np.testing.assert_allclose((actual.world() @ [z, y, x, 1])[:3], expected)
    _, again = nrrd.read(str(io.write(actual, tmp_path / "b.nrrd")))
    assert again["space"] == "left-posterior-superior"
    np.testing.assert_allclose(again["space directions"], directions)
    np.testing.assert_allclose(again["space origin"], origin)


def test_nrrd_and_nifti_agree_with_simpleitk(tmp_path, turned):
    sitk = pytest.importorskip("SimpleITK")
    straight = _orthogonal(turned)  # SimpleITK refuses to shear NIfTI
    for stack, name in ((turned, "a.nrrd"), (straight, "b.nrrd"), (straight, "c.nii.gz")):
        image = sitk.ReadImage(str(io.write(stack, tmp_path / name)))
        z, y, x = 4, 3, 2
        assert image.GetPixel(x, y, z) == stack.data[z, y, x]
        ras = np.array(image.TransformIndexToPhysicalPoint((x, y, z))) * (-1, -1, 1)
        np.testing.assert_allclose((stack.world() @ [z, y, x, 1])[:3], ras[::-1], atol=1e-4)


def _orthogonal(stack):
    affine = np.diag([2.0, -0.5, 0.4, 1])
    affine[:3, 3] = 5, -3, 7
    return stack.replace(affine=affine, spacing=())


def test_plain_spacings(tmp_path, rng):
    nrrd.write(str(tmp_path / "a.nrrd"), rng.random((4, 5, 6)), {"spacings": [1.0, 2.0, 3.0]})
    actual = io.read(tmp_path / "a.nrrd")
    assert (actual.axes, actual.spacing, actual.affine) == ("ZYX", (3, 2, 1), None)


def test_colours_and_vectors(tmp_path, rng):
    data = rng.integers(0, 255, (3, 5, 6)).astype(np.uint8)
    nrrd.write(str(tmp_path / "a.nrrd"), data, {"kinds": ["RGB-color", "domain", "domain"]})
    actual = io.read(tmp_path / "a.nrrd")
    assert (actual.axes, actual.channels, actual.shape) == ("YXC", RGB, (6, 5, 3))
    nrrd.write(str(tmp_path / "b.nrrd"), data[:2], {"kinds": ["vector", "domain", "domain"]})
    assert io.read(tmp_path / "b.nrrd").axes == "YXC"


def test_segment_names_of_slicer(tmp_path, rng):
    data = rng.integers(0, 3, (4, 5, 6)).astype(np.uint8)
    nrrd.write(str(tmp_path / "a.seg.nrrd"), data, {
        "Segment0_Name": "liver", "Segment0_LabelValue": "2",
        "Segment1_Name": "kidney", "Segment1_LabelValue": "1",
    })  # fmt: skip
    actual = io.read_labels(tmp_path / "a.seg.nrrd")
    assert (actual.names, actual.holds) == ({2: "liver", 1: "kidney"}, "classes")


def test_segment_names_for_slicer(tmp_path):
    labels = Labels(np.ones((3, 4, 5), np.uint8), "ZYX", holds="classes", names={1: "Größe"})
    _, header = nrrd.read(str(io.write(labels, tmp_path / "a.nrrd")))
    assert header["Segment0_Name"] == "Gr??e"  # the format is ASCII
    assert header["Segment0_LabelValue"] == "1"
    assert io.read_labels(tmp_path / "a.nrrd").names == {1: "Größe"}


def test_colours_of_slicer(tmp_path, rng):
    data = rng.integers(0, 3, (4, 5, 6)).astype(np.uint8)
    nrrd.write(str(tmp_path / "a.seg.nrrd"), data, {
        "Segment0_Name": "liver", "Segment0_LabelValue": "2", "Segment0_Color": "0.5 0.25 1",
    })  # fmt: skip
    actual = io.read_labels(tmp_path / "a.seg.nrrd")
    assert actual.header["colors"] == {2: [0.5, 0.25, 1.0]}
    for name in ("b.seg.nrrd", "b.nii.gz", "b.tif", "b.mha"):
        again = io.read_labels(io.write(actual, tmp_path / name))
        assert list(again.header["colors"][2]) == [0.5, 0.25, 1.0]
    _, header = nrrd.read(str(tmp_path / "b.seg.nrrd"))
    assert header["Segment0_Color"] == "0.5 0.25 1"


def test_layers_of_slicer_become_one(tmp_path):
    layers = np.zeros((2, 4, 5, 6), np.uint8)  # layer, x, y, z
    layers[0, 0] = layers[1, 1] = 1
    fields = {
        "kinds": ["list", "domain", "domain", "domain"],
        "Segment0_Name": "a", "Segment0_LabelValue": "1", "Segment0_Layer": "0",
        "Segment1_Name": "b", "Segment1_LabelValue": "1", "Segment1_Layer": "1",
    }  # fmt: skip
    nrrd.write(str(tmp_path / "a.seg.nrrd"), layers, fields)
    actual = io.read_labels(tmp_path / "a.seg.nrrd")
    assert (actual.axes, actual.names) == ("ZYX", {1: "a", 2: "b"})
    assert (actual.data[..., 0] == 1).all()
    assert (actual.data[..., 1] == 2).all()
    assert not actual.data[..., 2:].any()
    layers[1, 0, 0, 0] = 1
    nrrd.write(str(tmp_path / "a.seg.nrrd"), layers, fields)
    with pytest.raises(FormatError, match="segments 'a' and 'b' overlap in 1 voxels"):
        io.read_labels(tmp_path / "a.seg.nrrd")


def test_detached_pixels(tmp_path, turned, assert_same):
    path = io.write(turned, tmp_path / "a.nhdr")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.nhdr", "a.raw.gz"]
    assert_same(io.read(path), turned)
    sitk = pytest.importorskip("SimpleITK")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path))), turned.data)
    (tmp_path / "a.raw.gz").unlink()
    with pytest.raises(FormatError, match=r"a\.nhdr names its data file a\.raw\.gz.*Put it"):
        io.read(path)


def test_segmentations_hold_labels(tmp_path, turned):
    with pytest.raises(FormatError, match="is for labels"):
        io.write(turned, tmp_path / "a.seg.nrrd")
