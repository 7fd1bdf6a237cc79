"""Event files, curves and pictures, and folds."""

import struct

import numpy as np

from napari_segment.deep.training.folds import cross_validate
from napari_segment.deep.training.record.run_folder import Record
from napari_segment.deep.training.record.tensorboard_events import append, crc32c, record
from napari_segment.step import run

TINY = ("unet", {"features": (4, 8), "residual_units": 0})


def test_the_checksum_is_that_of_the_standard():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4


def test_a_record_is_framed_by_length_and_checksums():
    framed = record(b"abc")
    assert struct.unpack("<Q", framed[:8]) == (3,)
    assert framed[12:15] == b"abc"
    assert len(framed) == 8 + 4 + 3 + 4


def test_scalars_stand_in_the_file(tmp_path):
    path = tmp_path / "events.out.tfevents.0.run"
    append(path, 1, {"loss": 0.5})
    first = path.stat().st_size
    append(path, 300, {"loss": 0.25})
    data = path.read_bytes()
    assert b"brain.Event:2" in data
    assert data.count(b"loss") == 2
    assert struct.pack("<f", 0.25) in data[first:]
    assert b"\x10\xac\x02" in data[first:]  # step 300 as a varint


def test_curves_and_pictures_are_drawn(tmp_path):
    record = Record(tmp_path)
    record.epoch({"epoch": 1, "loss": 1.0})
    record.epoch({"epoch": 2, "loss": 0.5, "dice": 0.7})
    assert (tmp_path / "curves.csv").read_text().splitlines() == [
        "epoch,loss,dice", "1,1.0,", "2,0.5,0.7",
    ]  # fmt: skip
    assert (tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"
    plane = np.arange(12.0).reshape(3, 4)
    marks = (plane > 5).astype(np.int16) - (plane == 0)
    record.picture(2, {"image": plane, "reference": marks, "prediction": marks})
    from imagecodecs import png_decode

    picture = png_decode((tmp_path / "previews" / "epoch_0002.png").read_bytes())
    assert picture.shape == (3, 16, 3)
    assert picture[0, 4].tolist() == [0, 0, 0]
    assert picture[0, 12].tolist() == picture[0, 0].tolist()  # nothing lies over the background
    assert picture[2, 15].tolist() != picture[2, 3].tolist()


def test_folds_are_trained_one_after_the_other(tmp_path):
    labels = np.zeros((20, 20), np.uint8)
    labels[5:12, 5:15] = 1
    pairs = [(labels + np.float32(i / 50), labels) for i in range(4)]
    found = run(
        cross_validate(
            pairs, out=tmp_path, folds=2, model=TINY, epochs=1, steps=4, device="cpu", workers=0
        )
    )
    assert [c.folder.name for c in found] == ["fold_0", "fold_1"]
    assert [c.scores["dice"] >= 0 for c in found] == [True, True]
    assert (tmp_path / "fold_1" / "curves.csv").exists()
