"""LIF made byte by byte: images, their axes and metadata."""

import struct
import sys

import numpy as np
import pytest
from shared.lazily import same_lazily

from napari_segment import read
from napari_segment.errors import FormatError, MissingError


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(0, 4000, (2, 3, 4, 20, 30)).astype(np.uint16)


def lif(path, images):
    """Write a Leica file of version 2: a header of XML, then a block of memory for each image."""
    elements, blocks = [], []
    for number, (name, data, dims, channels) in enumerate(images):
        size = data.itemsize
        strides = dict(zip(dims, data.strides, strict=True))
        numbers = {"X": 1, "Y": 2, "Z": 3, "T": 4}
        lengths = {"X": 0.5e-6, "Y": 0.25e-6, "Z": 2e-6, "T": 3.0}
        described = "".join(
            f'<DimensionDescription DimID="{numbers[d]}" NumberOfElements="{n}" Origin="0" '
            f'Length="{lengths[d] * (n - 1)}" Unit="{"s" if d == "T" else "m"}" BitInc="0" '
            f'BytesInc="{strides[d]}"/>'
            for d, n in zip(dims[::-1], data.shape[::-1], strict=True)
            if d != "C"
        )
        listed = "".join(
            f'<ChannelDescription DataType="0" ChannelTag="0" Resolution="{8 * size}" NameOfMeasure'
            f'dQuantity="" Min="0" Max="1" Unit="" LUTName="{c}" IsLUTInverted="0" '
            f'BytesInc="{strides.get("C", 0) * i}" BitInc="0"/>'
            for i, c in enumerate(channels)
        )
        elements.append(
            f'<Element Name="{name}" Visibility="1"><Data><Image><ImageDescription>'
            f"<Channels>{listed}</Channels><Dimensions>{described}</Dimensions>"
            f"</ImageDescription></Image></Data>"
            f'<Memory Size="{data.nbytes}" MemoryBlockID="MemBlock_{number}"/></Element>'
        )
        blocks.append((f"MemBlock_{number}", np.ascontiguousarray(data).tobytes()))
    xml = (
        '<LMSDataContainerHeader Version="2"><Element Name="all"><Children>'
        f"{''.join(elements)}</Children></Element></LMSDataContainerHeader>"
    )
    with path.open("wb") as file:
        file.write(struct.pack("<IIBI", 0x70, 2 * len(xml) + 5, 0x2A, len(xml)))
        file.write(xml.encode("utf-16-le"))
        for name, content in blocks:
            head = 0x70, 2 * len(name) + 14, 0x2A, len(content), 0x2A, len(name)
            file.write(struct.pack("<IIBQBI", *head))
            file.write(name.encode("utf-16-le") + content)
    return path


def test_images_of_lif(tmp_path, pixels):
    pytest.importorskip("liffile")
    stack = np.ascontiguousarray(pixels.transpose(0, 2, 1, 3, 4))  # T, Z, C, Y, X as Leica stores
    path = lif(
        tmp_path / "a.lif",
        [
            ("stack", stack, "TZCYX", ("Blue", "Green", "Red")),
            ("plane", pixels[0, 0, 0], "YX", "G"),
        ],
    )
    image = same_lazily(path, series="stack")
    canonical = image.canonical()
    assert canonical.axes in ("CTZYX", "TCZYX")
    expected = image.transpose("TCZYX")
    assert np.array_equal(expected.data, pixels)
    assert expected.spacing == pytest.approx((2.0, 0.25, 0.5))
    assert expected.unit == "micrometer"
    assert expected.interval == pytest.approx(3.0)
    assert expected.channels == ("Blue", "Green", "Red")
    plane = same_lazily(path, series=1)
    assert (plane.axes, plane.spacing) == ("YX", pytest.approx((0.25, 0.5)))
    with pytest.raises(FormatError, match="holds 2 images"):
        read(path)
    (tmp_path / "b.lif").write_bytes(path.read_bytes()[:900])
    with pytest.raises(FormatError, match=r"b\.lif"):
        read(tmp_path / "b.lif", series=0)


def test_an_absent_library_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "liffile", None)
    path = tmp_path / "a.lif"
    path.write_bytes(b"x")
    with pytest.raises(MissingError, match=r"napari-segment\[microscopes\]"):
        read(path)


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "a.lif"
    path.write_bytes(b"this is nothing of the kind" * 20)
    with pytest.raises(FormatError, match=r"a\.lif"):
        read(path)
