"""Writing what the verbs give."""

import numpy as np
import pandas as pd
import pytest

from napari_segment import Recipe, read, write
from napari_segment.cli import main
from napari_segment.errors import FormatError
from napari_segment.recipe import Spec

TABLE = pd.DataFrame({"label": [1, 2]})


def test_tables_need_a_name_of_tables(tmp_path):
    with pytest.raises(FormatError, match=r"f\.tif: end it with \.csv"):
        write(TABLE, tmp_path / "f.tif")
    assert not (tmp_path / "f.tif").exists()
    assert write(TABLE, tmp_path / "new" / "F.CSV").read_text() == "label\n1\n2\n"


def test_one_of_several_images_is_read(tmp_path):
    first, second = np.zeros((4, 5), np.uint8), np.eye(6, dtype=np.uint8)
    path, out = tmp_path / "two.npz", tmp_path / "out.npy"
    np.savez(path, first=first, second=second)
    np.testing.assert_array_equal(read(path, series="second"), second)
    arguments = ["segment", "manual", str(path), "--value", "0", "-o", str(out)]
    assert main([*arguments, "--series", "second"]) == 0
    np.testing.assert_array_equal(np.load(out), second)
    for labels, image in ((path, ()), (out, ("--image", str(path)))):
        table = tmp_path / "table.csv"
        arguments = ["measure", str(labels), *image, "--series", "second", "-o", str(table)]
        assert main(arguments) == 0
        assert pd.read_csv(table).iloc[0, 1] == 6


class Ends(pd.DataFrame):
    """A table whose writing ends half-way."""

    @property
    def _constructor(self):
        return Ends

    def to_csv(self, path, **_):
        path.write_text("label\n1")
        raise KeyboardInterrupt


def test_what_ends_half_way_leaves_no_file(tmp_path):
    path = tmp_path / "t.csv"
    write(TABLE, path)
    with pytest.raises(KeyboardInterrupt):
        write(Ends(), path)
    assert path.read_text() == "label\n1\n2\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("what", [TABLE, Recipe(method=Spec(name="otsu"))])
def test_impossible_folders_are_refused(tmp_path, what):
    (tmp_path / "cells.tif").write_text("a file")
    with pytest.raises(FormatError, match=r"Nothing can be written to the folder .*cells\.tif"):
        write(what, tmp_path / "cells.tif" / "x.csv")
