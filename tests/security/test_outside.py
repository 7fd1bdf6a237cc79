"""What a file names is opened in its folder only, unless more is allowed."""

import json
import os

import numpy as np
import pytest
import tifffile

import napari_segment as ns
from napari_segment import io
from napari_segment.cli import main
from napari_segment.errors import FormatError
from napari_segment.io.containment import VARIABLE, contained
from napari_segment.io.datasets import camvid, coco, decathlon, open_images

PLANE = np.arange(64, dtype="u1").reshape(8, 8)


@pytest.fixture
def secret(tmp_path):
    """An image outside of the folder that is opened."""
    path = tmp_path / "secret" / "a.png"
    ns.write(ns.Image(PLANE, "YX"), path)
    return path


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "given"
    folder.mkdir()
    ns.write(ns.Image(PLANE, "YX"), folder / "own.png")
    return folder


def outside(secret, folder):
    """The same file by an absolute path, by parents, and by a link."""
    (folder / "link.png").symlink_to(secret)
    return [str(secret), os.path.relpath(secret, folder), "own.png/../../secret/a.png", "link.png"]


def refused(read, source):
    with pytest.raises(FormatError, match=r"leads out of its folder.*--allow-outside") as refusal:
        read()
    assert source in str(refusal.value)


def test_dataset_json(secret, folder):
    for name in outside(secret, folder):
        for pair in ({"image": name, "label": "own.png"}, {"image": ["own.png", name]}):
            pair.setdefault("label", "own.png")
            document = {"labels": {"0": "background", "1": "x"}, "training": [pair]}
            (folder / "dataset.json").write_text(json.dumps(document))
            refused(lambda: decathlon.decathlon(folder), "dataset.json")
    with io.allow_outside():
        assert len(decathlon.decathlon(folder)) == 1
    refused(lambda: decathlon.decathlon(folder), "dataset.json")


def test_coco(secret, folder):
    for name in [*outside(secret, folder)[:2], "link.png"]:
        document = {
            "images": [{"id": 1, "file_name": name, "height": 8, "width": 8}],
            "annotations": [], "categories": [{"id": 1}],
        }  # fmt: skip
        file = folder / "instances_all.json"
        file.write_text(json.dumps(document))
        refused(lambda: coco.coco(folder), file.name)
        refused(lambda file=file: coco.coco(file), file.name)
    with io.allow_outside():
        assert len(coco.coco(folder)) == 1


def test_coco_takes_nothing_of_the_folder_above(secret, folder):
    (folder.parent / "images").mkdir()
    (folder.parent / "images" / "b.png").write_bytes(secret.read_bytes())
    image = {"id": 1, "file_name": "b.png", "height": 8, "width": 8}
    document = {"images": [image], "annotations": [], "categories": [{"id": 1}]}
    (folder / "instances.json").write_text(json.dumps(document))
    refused(lambda: coco.coco(folder), "instances.json")
    (folder / "annotations").mkdir()
    (folder / "instances.json").rename(folder / "annotations" / "instances.json")
    (folder / "b.png").write_bytes(secret.read_bytes())
    assert len(coco.coco(folder)) == 1
    assert len(coco.coco(folder / "annotations" / "instances.json")) == 1


def test_camvid(secret, folder):
    (folder / "up").symlink_to(secret.parent)
    for name in ("up/a.png", "../secret/a.png"[3:].replace("secret", "up")):
        (folder / "train.txt").write_text(f"{name} own.png\n")
        refused(lambda: camvid.camvid(folder), "train.txt")


def test_open_images(secret, folder):
    annotations = folder / "annotations"
    annotations.mkdir()
    head, name = "MaskPath,ImageID,LabelName\n", os.path.relpath(secret, folder / "masks" / "train")
    table = annotations / "train-annotations-object-segmentation.csv"
    for row in (f"{name},own,/m/1\n", f"{secret},own,/m/1\n", f"x.png,{name[:-4]},/m/1\n"):
        table.write_text(head + row)
        refused(lambda: open_images.open_images(folder), table.name)


def test_detached_header_of_nrrd(secret, folder, tmp_path, capsys):
    raw = tmp_path / "secret" / "a.raw"
    raw.write_bytes(PLANE.tobytes())
    (folder / "link.raw").symlink_to(raw)
    header = folder / "a.nrrd"
    for name in (raw, "../secret/a.raw", "link.raw", "LIST", "%03d.raw 1 9 1"):
        header.write_text(
            f"NRRD0004\ntype: uint8\ndimension: 2\nsizes: 8 8\nencoding: raw\ndata file: {name}\n"
        )
        with pytest.raises(FormatError, match=r"a\.nrrd"):
            io.read(header)
    header.write_text(header.read_text().replace("%03d.raw 1 9 1", "../secret/a.raw"))
    refused(lambda: io.read(header), "a.nrrd")
    with io.allow_outside():
        assert np.array_equal(io.read(header).data, PLANE)
    run = ["filter", str(header), "--filter", "median", "-o", str(tmp_path / "o.tif")]
    assert main(run) == 1
    assert "--allow-outside" in capsys.readouterr().err
    assert main([*run, "--allow-outside"]) == 0


@pytest.mark.parametrize(
    "spelt", ["../secret/b.ome.tif", "&#46;&#46;/secret/b.ome.tif", "{absolute}"]
)
def test_companions_of_ome_tiff(tmp_path, folder, spelt):
    other = tmp_path / "secret" / "b.ome.tif"
    other.parent.mkdir()
    tifffile.imwrite(other, PLANE, metadata=None)
    name = spelt.format(absolute=other)
    text = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
        'UUID="urn:uuid:1"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" '
        'Type="uint8" SizeX="8" SizeY="8" SizeZ="2" SizeC="1" SizeT="1">'
        '<Channel ID="Channel:0:0"/><TiffData IFD="0" FirstZ="0" PlaneCount="1"/>'
        f'<TiffData IFD="0" FirstZ="1" PlaneCount="1"><UUID FileName="{name}">urn:uuid:2</UUID>'
        "</TiffData></Pixels></Image></OME>"
    )
    path = folder / "a.ome.tif"
    tifffile.imwrite(path, PLANE, description=text.encode(), metadata=None)
    refused(lambda: io.read(path), "a.ome.tif")
    refused(lambda: io.read(path, lazy=True), "a.ome.tif")


def test_entities_of_ome_xml_do_not_grow(folder):
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 20}">' for i in range(1, 12))
    text = f'<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY e0 "ha">{entities}]><OME>&e11;</OME>'
    path = folder / "a.ome.tif"
    tifffile.imwrite(path, PLANE, description=text.encode(), metadata=None)
    with pytest.raises(FormatError):
        io.read(path)


def test_a_window_may_allow_it(secret, folder, monkeypatch):
    refused(lambda: contained(secret, folder, folder / "x.json"), "x.json")
    monkeypatch.setenv(VARIABLE, "1")
    assert contained(secret, folder, folder / "x.json") == secret


def test_a_folder_may_be_a_link_itself(folder, tmp_path):
    (tmp_path / "alias").symlink_to(folder)
    named = tmp_path / "alias" / "own.png"
    assert contained(named, tmp_path / "alias", named) == named
