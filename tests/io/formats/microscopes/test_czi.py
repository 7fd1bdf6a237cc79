"""CZI written with ZEISS's library: scenes, mosaics, colours, metadata."""

import sys

import numpy as np
import pytest
from shared.lazily import same_lazily

from napari_segment import read
from napari_segment.cli import main
from napari_segment.errors import FormatError, MissingError


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(0, 4000, (2, 3, 4, 20, 30)).astype(np.uint16)


@pytest.fixture(scope="module")
def czi(tmp_path_factory, pixels):
    """T, C, Z in two scenes, the second with all values one higher."""
    pyczi = pytest.importorskip("pylibCZIrw.czi")
    path = tmp_path_factory.mktemp("czi") / "two.czi"
    with pyczi.create_czi(str(path)) as file:
        for scene in (0, 1):
            for t, c, z in np.ndindex(pixels.shape[:3]):
                plane = {"T": t, "C": c, "Z": z}
                file.write(
                    pixels[t, c, z] + scene, plane=plane, scene=scene, location=(7, 100 * scene)
                )
        names = {0: "DAPI", 1: "GFP", 2: "RFP"}
        scales = {"scale_x": 0.2e-6, "scale_y": 0.25e-6, "scale_z": 1e-6}
        file.write_metadata("two", channel_names=names, **scales)
    return path


def test_scenes_of_czi(czi, pixels):
    for scene in (0, 1):
        image = same_lazily(czi, series=scene)
        assert (image.axes, image.unit) == ("TCZYX", "micrometer")
        assert np.array_equal(image.data, pixels + scene)
        assert image.spacing == pytest.approx((1.0, 0.25, 0.2))
        assert image.channels == ("DAPI", "GFP", "RFP")
    with pytest.raises(FormatError, match=r"2 images; say which by series"):
        read(czi)
    assert np.array_equal(read(czi, series="scene 1").data, pixels + 1)


def test_mosaics_and_colours_of_czi(tmp_path):
    pyczi = pytest.importorskip("pylibCZIrw.czi")
    left, right = (np.full((5, 6, 3), v, np.uint8) for v in (10, 200))
    left[..., 0] = 90  # blue comes first
    path = tmp_path / "mosaic.czi"
    with pyczi.create_czi(str(path)) as file:
        file.write(left, location=(0, 0))
        file.write(right, location=(6, 0))
    image = same_lazily(path)
    assert (image.axes, image.shape) == ("YXC", (5, 12, 3))
    assert image.channels == ("red", "green", "blue")
    assert image.data[0, 0].tolist() == [10, 10, 90]
    assert image.data[0, 11].tolist() == [200, 200, 200]
    assert image.unit == "pixel"


def test_czi_on_the_command_line(czi, tmp_path):
    out = tmp_path / "labels.ome.tif"
    command = ["segment", "otsu", str(czi), "--series", "1", "--channel", "GFP", "-o", str(out)]
    assert main(command) == 0
    labels = read(out)
    assert (labels.axes, labels.shape) == ("TZYX", (2, 4, 20, 30))


def test_an_absent_library_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pylibCZIrw.czi", None)
    path = tmp_path / "a.czi"
    path.write_bytes(b"x")
    with pytest.raises(MissingError, match=r"napari-segment\[microscopes\]"):
        read(path)


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "a.czi"
    path.write_bytes(b"this is nothing of the kind" * 20)
    with pytest.raises(FormatError, match=r"a\.czi"):
        read(path)
