import numpy as np
import pytest

from napari_segment import io
from napari_segment.image import Image
from napari_segment.io import natural, recipe_path, stem, suffix


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a.tif", ("a", ".tif")),
        ("a.ome.TIFF", ("a", ".ome.tiff")),
        ("x/a.b.nii.gz", ("a.b", ".nii.gz")),
        ("a.gz", ("a", ".gz")),
        ("a", ("a", "")),
        ("a.ome.zarr", ("a", ".ome.zarr")),
        ("CT.1.2.840.16573", ("CT.1.2.840", ".16573")),
    ],
)
def test_stem_and_suffix(name, parts):
    assert (stem(name), suffix(name)) == parts


def test_natural_order():
    names = ["b1", "a10.png", "a2.png", "A1.png", "a02b", "7", "10"]
    assert sorted(names, key=natural) == ["7", "10", "A1.png", "a02b", "a2.png", "a10.png", "b1"]


def test_recipe_lies_next_to_its_result():
    assert str(recipe_path("out/a.b.nii.gz")) == "out/a.b.recipe.yaml"


def test_images_of_a_folder(tmp_path):
    image = Image(np.zeros((3, 4), np.uint8), "YX")
    for name in ("10.tif", "2.png", ".hidden.png", "3.ome.zarr"):
        io.write(image, tmp_path / name)
    (tmp_path / "notes.txt").touch()
    (tmp_path / "empty.zarr").mkdir()
    assert [p.name for p in io.images_in(tmp_path)] == ["2.png", "3.ome.zarr", "10.tif"]
    assert io.is_image(tmp_path / "3.ome.zarr")
    assert not io.is_image(tmp_path)
    assert not io.is_image(tmp_path / "lost.tif")
