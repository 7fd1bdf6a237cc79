"""Decoders of DICOM pixels that pydicom lacks by itself: JPEG-LS, JPEG Lossless, 12-bit JPEG."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pydicom.pixels.decoders.base import DecodeRunner

_JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
_LOSSLESS = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
_EXTENDED = ("1.2.840.10008.1.2.4.51",)
_LABEL = "imagecodecs"

DECODER_DEPENDENCIES = dict.fromkeys((*_JPEG_LS, *_LOSSLESS, *_EXTENDED), (_LABEL,))


def is_available(uid: str) -> bool:
    """Return whether a transfer syntax is decoded here, which pydicom asks."""
    return str(uid) in DECODER_DEPENDENCIES


@lru_cache(maxsize=1)
def register() -> None:
    """Let pydicom use these decoders, after its own."""
    from pydicom.pixels.decoders import base

    for uid in DECODER_DEPENDENCIES:
        decoder = base.get_decoder(uid)
        if _LABEL not in (*decoder.available_plugins, *decoder.missing_dependencies):
            decoder.add_plugin(_LABEL, (__name__, "decode_frame"))


def decode_frame(source: bytes, runner: DecodeRunner) -> bytes:
    """Decode one frame, as pydicom asks of a plug-in."""
    import imagecodecs

    syntax = str(runner.transfer_syntax)
    if syntax in _JPEG_LS:
        pixels = imagecodecs.jpegls_decode(source)
    elif syntax in _LOSSLESS:
        pixels = imagecodecs.ljpeg_decode(source)
    else:
        pixels = imagecodecs.jpeg_decode(source)
    if runner.samples_per_pixel > 1:
        runner.set_option("planar_configuration", 0)
    kind = f"<u{runner.bits_allocated // 8}"
    return np.ascontiguousarray(pixels).astype(kind, copy=False).tobytes()
