"""Filters alone, and filters before methods, from the command line."""

import json

import numpy as np
import pytest

from napari_segment import Image, apply_filters, read, segment, write
from napari_segment.cli import main
from napari_segment.io import read_labels


@pytest.fixture
def stack():
    data = np.random.default_rng(2).integers(0, 900, (4, 12, 15)).astype(np.uint16)
    return Image(data, "ZYX", (2.0, 0.5, 0.5), unit="micrometer", name="stack")


def test_cubic_voxels_are_written_with_their_spacing(stack, tmp_path, capsys):
    source, out = tmp_path / "stack.tif", tmp_path / "cubic.tif"
    write(stack, source)
    arguments = ["--filter", "isotropic", "--filter", "gaussian:sigma=0.5"]
    assert main(["filter", str(source), "-o", str(out), *arguments, "--json"]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert report["shape"] == [13, 12, 15]
    cubic = read(out)
    assert cubic.spacing == pytest.approx((0.5, 0.5, 0.5))
    assert cubic.unit == "micrometer"
    expected = apply_filters(stack, ["isotropic", ("gaussian", {"sigma": 0.5})])
    np.testing.assert_array_equal(cubic.data, expected.data)


def test_labels_after_cubic_voxels_have_the_spacing_of_the_image(stack, tmp_path):
    source, out = tmp_path / "stack.nii.gz", tmp_path / "labels.nii.gz"
    affine = np.array([[0, 0, 0.5, 1], [0, 0.5, 0, 2], [-2.0, 0, 0, 3], [0, 0, 0, 1]])
    write(stack.replace(spacing=(), affine=affine, unit="millimeter"), source)
    assert main(["segment", "otsu", str(source), "-o", str(out), "--filter", "isotropic"]) == 0
    labels, image = read_labels(out), read(source)
    assert labels.shape == image.shape
    assert labels.spacing == pytest.approx(image.spacing)
    np.testing.assert_allclose(labels.world(), image.world())
    assert np.array_equal(labels, segment(image, "otsu", filters=["isotropic"]))
    cubic = tmp_path / "cubic.nii.gz"
    assert main(["filter", str(source), "-o", str(cubic), "--filter", "isotropic"]) == 0
    corner, far = [0, 0, 0, 1], np.array([*np.subtract(read(cubic).shape, 1), 1])
    np.testing.assert_allclose(read(cubic).world() @ corner, image.world() @ corner)
    last = image.world() @ [3, 11, 14, 1]
    np.testing.assert_allclose(read(cubic).world() @ far, last, atol=1e-5)


def test_folders_keep_what_pictures_cannot_hold(stack, tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png"):
        write(Image(stack.data[0].astype(np.uint8), "YX"), tmp_path / "in" / name)
    arguments = ["filter", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--filter"]
    assert main([*arguments, "gaussian"]) == 0
    assert read(tmp_path / "out" / "b.tif").dtype == np.float32


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "Say which filters"),
        (["--filter", "gausian"], 2, "gaussian"),
        (["--filter", "median", "--recipe", "x.yaml"], 2, "Say which filters"),
        (["--recipe", "x.yaml"], 1, "no recipe"),
        (
            ["--recipe", "x.yaml", "--apply-to", "plane"],
            2,
            "leave out --channel, --apply-to and --times",
        ),
    ],
)
def test_errors_of_the_command_line(stack, tmp_path, capsys, arguments, status, message):
    source = tmp_path / "stack.tif"
    write(stack, source)
    assert main(["filter", str(source), "-o", str(tmp_path / "out.tif"), *arguments]) == status
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "apply_to", "known"),
    [
        ("filter", "directions", "auto, plane, volume, stack"),
        ("edges", "stack", "auto, plane, volume"),
    ],
)
def test_commands_offer_what_they_can_take_at_once(capsys, command, apply_to, known):
    with pytest.raises(SystemExit):
        main([command, "stack.tif", "-o", "out", "--apply-to", apply_to])
    assert f"--apply-to cannot be '{apply_to}'. Known: {known}." in capsys.readouterr().err
