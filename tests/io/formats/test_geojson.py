"""GeoJSON as QuPath has it."""

import json

import numpy as np
import pytest

from napari_segment import io
from napari_segment.errors import FormatError
from napari_segment.image import Labels


@pytest.mark.parametrize("seed", range(6))
def test_every_pixel_comes_back(tmp_path, seed):
    """Noise: objects in many parts, with holes, that touch at corners."""
    rng = np.random.default_rng(seed)
    data = rng.integers(0, 4, (13, 17)).astype(np.uint8) * rng.integers(0, 2, (13, 17)).astype("u1")
    labels = Labels(data, "YX", (0.5, 0.25), "micrometer")
    actual = io.read_labels(io.write(labels, tmp_path / "a.geojson"))
    np.testing.assert_array_equal(actual.data, data)
    assert (actual.spacing, actual.unit, actual.holds) == ((0.5, 0.25), "micrometer", "objects")


def test_a_ring_has_a_hole(tmp_path):
    data = np.zeros((9, 9), np.uint8)
    data[1:8, 1:8] = 5
    data[3:6, 3:6] = 0
    labels = Labels(
        data, "YX", holds="classes", names={5: "ring"}, header={"colors": {5: (1.0, 0.0, 0.2)}}
    )
    path = io.write(labels, tmp_path / "a.geojson")
    (feature,) = json.loads(path.read_text())["features"]
    assert feature["properties"]["classification"] == {"name": "ring", "color": [255, 0, 51]}
    (polygon,) = feature["geometry"]["coordinates"]
    assert len(polygon) == 2
    assert np.min(polygon[0]) == 1
    assert np.max(polygon[0]) == 8
    actual = io.read_labels(path)
    assert actual.names == {5: "ring"}
    assert actual.header["colors"][5] == (1.0, 0.0, 0.2)


def test_outlines_of_another_program(tmp_path):
    def square(x, y, name):
        ring = [[x, y], [x + 2, y], [x + 2, y + 2], [x, y + 2], [x, y]]
        kind = {"classification": {"name": name, "color": [255, 0, 0]}}
        return {
            "type": "Feature", "properties": kind,
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }  # fmt: skip

    path = tmp_path / "q.geojson"
    path.write_text(json.dumps([square(0, 0, "a"), square(1, 1, "b")]))
    with pytest.warns(UserWarning, match=r"q\.geojson: its outlines overlap in 1 pixels"):
        actual = io.read_labels(path)
    assert actual.data.tolist() == [[1, 1, 0], [1, 2, 2], [0, 2, 2]]
    assert actual.names == {1: "a", 2: "b"}


@pytest.mark.parametrize("text", ["{}", "[", '{"features": []}'])
def test_what_is_no_outline(tmp_path, text):
    (tmp_path / "a.geojson").write_text(text)
    with pytest.raises(FormatError, match=r"a\.geojson"):
        io.read_labels(tmp_path / "a.geojson")
