"""Meshes read with trimesh: every object, its volume, place, name and colour."""

import numpy as np
import pytest
import trimesh

from napari_segment import Image, Labels, read, write
from napari_segment.cli import main
from napari_segment.errors import FormatError
from napari_segment.io import images_in


@pytest.fixture
def labels():
    data = np.zeros((12, 20, 30), np.uint16)
    data[2:6, 3:9, 4:14] = 1
    data[7:10, 12:18, 20:28] = 300
    header = {"colors": {300: (0.0, 1.0, 0.2)}}
    return Labels(
        data, "ZYX", (2, 1, 0.5), "micrometer", names={1: "left cell"}, header=header
    )  # fmt: skip


def boxes():
    """Corners of both boxes as x, y, z, half a voxel around the centres of the outer voxels."""
    first = np.array([[3.5 / 2, 2.5, 1.5 * 2], [13.5 / 2, 8.5, 5.5 * 2]])
    second = np.array([[19.5 / 2, 11.5, 6.5 * 2], [27.5 / 2, 17.5, 9.5 * 2]])
    return first, second


@pytest.mark.parametrize("suffix", [".ply", ".obj", ".stl"])
def test_objects_lie_where_they_are(labels, tmp_path, suffix):
    path = write(labels, tmp_path / f"a{suffix}")
    options = {"split_objects": True, "group_material": False} if suffix == ".obj" else {}
    mesh = trimesh.load(path, **options)
    parts = list(mesh.geometry.values()) if suffix != ".ply" else list(mesh.split())
    parts.sort(key=lambda part: part.bounds[0, 0])
    assert len(parts) == 2
    for part, box in zip(parts, boxes(), strict=True):
        assert np.allclose(part.bounds, box, atol=1e-5)
        assert 0.85 < part.volume / np.prod(np.ptp(box, axis=0)) < 1  # corners are cut
    if suffix != ".ply":
        assert any("left_cell" in name for name in mesh.geometry)
        assert any("label_300" in name for name in mesh.geometry)


def test_colours_numbers_and_names_of_ply(labels, tmp_path):
    path = write(labels, tmp_path / "a.ply")
    mesh = trimesh.load(path, process=False)
    assert mesh.is_watertight
    second = mesh.vertices[:, 0] > 9
    assert (mesh.visual.vertex_colors[second][:, :3] == (0, 255, 51)).all()
    numbers = mesh.metadata["_ply_raw"]["vertex"]["data"]["label"].ravel()
    assert set(numbers[second]) == {300}
    assert set(numbers[~second]) == {1}
    assert b"comment object 1 left_cell" in path.read_bytes()


def test_medical_meshes_say_their_space(labels, tmp_path):
    affine = np.diag([2.0, -1.0, 0.5, 1.0])
    medical = labels.replace(affine=affine, unit="millimeter")
    for suffix in (".ply", ".obj", ".stl"):
        start = write(medical, tmp_path / f"a{suffix}").read_bytes()[:200]
        assert b"SPACE=RAS" in start
    mesh = trimesh.load(tmp_path / "a.stl")
    assert all(part.volume > 0 for part in mesh.geometry.values())


def test_they_are_written_from_the_command_line_and_are_no_inputs(labels, tmp_path, capsys):
    write(labels, tmp_path / "labels" / "a.tif")
    out = tmp_path / "labels"
    assert main(["convert", str(out / "a.tif"), "--are-labels", "-o", str(out / "o.ply")]) == 0
    assert len(trimesh.load(out / "o.ply").split()) == 2
    assert [path.name for path in images_in(out)] == ["a.tif"]
    with pytest.raises(FormatError, match="is a mesh"):
        read(out / "o.ply")


@pytest.mark.parametrize("stack", [Image(np.ones((3, 4, 5))), Labels(np.ones((4, 5), np.uint8))])
def test_what_has_no_surface_is_refused(stack, tmp_path):
    with pytest.raises(FormatError, match="surfaces"):
        write(stack, tmp_path / "a.ply")
    assert not (tmp_path / "a.ply").exists()
