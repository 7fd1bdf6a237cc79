"""TensorBoard event files."""

import struct

from napari_segment.deep.training.record.tensorboard_events import append, crc32c, record


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
