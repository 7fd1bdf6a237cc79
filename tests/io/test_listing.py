"""Which files of a folder are images."""

import numpy as np

from napari_segment import io
from napari_segment.api.batch.paths import inputs_of
from napari_segment.image import Image
from napari_segment.io.datasets.folders import match_folders


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


def test_one_listing_for_commands_and_pairs(tmp_path):
    for name in ("10.tif", "2.tif", "._2.tif", ".hidden.png", "notes.txt"):
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / name).touch()
    (tmp_path / "a" / "folder.tif").mkdir()
    names = ["2.tif", "10.tif"]
    assert [p.name for p in inputs_of([str(tmp_path / "a")])] == names
    pairs = match_folders(tmp_path / "a", tmp_path / "b")
    assert [c.image.name for c in pairs] == names
