"""TensorBoard's event file, written directly: a handful of bytes a number, no package needed.

A file is a series of records (length, its checksum, data, its checksum); the data are ``Event``
messages of protocol buffers, of which a scalar needs five fields.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from time import time

_POLYNOMIAL = 0x82F63B78  # CRC-32C, reversed


def append(path: Path, step: int, numbers: Mapping[str, float]) -> None:
    """Add scalars to an event file, which is begun where there is none.

    Parameters
    ----------
    path : Path
        ``events.out.tfevents.…``; TensorBoard shows the folder it is in.
    step : int
        Where on the horizontal axis.
    numbers : mapping of str to float
        By the name of their curve.
    """
    records = b""
    if not path.exists():
        records += record(_event(0, _text(3, b"brain.Event:2")))
    values = b"".join(
        _text(1, _text(1, name.encode()) + _fixed32(2, value)) for name, value in numbers.items()
    )
    records += record(_event(step, _text(5, values)))
    with path.open("ab") as stream:
        stream.write(records)


def record(data: bytes) -> bytes:
    """Frame one message as a record."""
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", _masked(length)) + data + struct.pack("<I", _masked(data))


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli) of some bytes.

    Examples
    --------
    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    value = 0xFFFFFFFF
    for byte in data:
        value = _TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


def _table_entry(value: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
    return value


_TABLE = [_table_entry(i) for i in range(256)]


def _masked(data: bytes) -> int:
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _event(step: int, content: bytes) -> bytes:
    when = _key(1, 1) + struct.pack("<d", time())
    return when + _key(2, 0) + _varint(step) + content


def _text(field: int, content: bytes) -> bytes:
    return _key(field, 2) + _varint(len(content)) + content


def _fixed32(field: int, value: float) -> bytes:
    return _key(field, 5) + struct.pack("<f", value)


def _key(field: int, wire: int) -> bytes:
    return _varint(field << 3 | wire)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
