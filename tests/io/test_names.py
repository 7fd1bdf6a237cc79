import pytest

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
