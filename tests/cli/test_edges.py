"""Points on edges from the command line."""

import numpy as np
import pandas as pd
import pytest
from shared.ball import deep_ball

from napari_segment import edge_points, read, write
from napari_segment.api import recipe_of
from napari_segment.cli import main


@pytest.fixture(scope="module")
def ball():
    return deep_ball()


def test_the_command_line_writes_the_points_and_their_recipe(ball, tmp_path, capsys):
    source, points = tmp_path / "ball.tif", tmp_path / "points.csv"
    write(ball, source)
    arguments = ["--sigma", "1", "--low", "0.2", "--high", "0.3", "--filter", "median:size=1"]
    assert main(["edges", str(source), "-o", str(points), *arguments]) == 0
    assert "points → " in capsys.readouterr().out
    table = pd.read_csv(points)
    assert list(table)[:3] == [f"{a} [micrometer]" for a in "zyx"]
    expected = edge_points(source, sigma=1, low=0.2, high=0.3)
    np.testing.assert_allclose(table["x [micrometer]"], expected["x"])
    recipe, again = f"{points}.recipe.yaml", tmp_path / "again.csv"
    assert main(["edges", str(source), "-o", str(again), "--recipe", recipe]) == 0
    assert again.read_bytes() == points.read_bytes()
    assert main(["replay", recipe, str(source), "-o", str(tmp_path / "mask.tif")]) == 0
    assert np.count_nonzero(read(tmp_path / "mask.tif").data) == len(table)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["missing.tif"], 1, "does not exist"),
        (["ball.tif", "--sigma", "-1"], 2, "'sigma' of 'canny'"),
        (["ball.tif", "--low", "0.9", "--high", "0.1"], 2, "at most"),
        (["ball.tif", "--recipe", "otsu.yaml"], 1, "method is 'otsu'"),
        (["ball.tif", "--recipe", "otsu.yaml", "--sigma", "2"], 2, "leave out the options"),
    ],
)
def test_errors_of_the_command_line(
    ball, tmp_path, capsys, monkeypatch, arguments, status, message
):
    monkeypatch.chdir(tmp_path)
    write(ball, "ball.tif")
    recipe_of("otsu").save("otsu.yaml")
    assert main(["edges", *arguments, "-o", "points.csv"]) == status
    assert message in capsys.readouterr().err
    assert not (tmp_path / "points.csv").exists()
