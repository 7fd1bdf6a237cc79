"""ND2: no library writes it, so what the library nd2 gives is made by hand."""

import sys
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from shared.lazily import same_lazily

from napari_segment import read
from napari_segment.errors import FormatError, MissingError


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(0, 4000, (2, 3, 4, 20, 30)).astype(np.uint16)


@dataclass
class StandIn:
    """An ND2 file of two positions, as `nd2.ND2File` describes one."""

    path: object
    experiment: list = field(default_factory=list)

    def __post_init__(self):
        self.data = StandIn.stored
        self.sizes = dict(zip("TPZCYX", self.data.shape, strict=True))
        self.dtype = self.data.dtype
        self.loop_indices = tuple(
            {"T": t, "P": p, "Z": z} for t, p, z in np.ndindex(self.data.shape[:3])
        )
        names = ("DAPI", "GFP", "RFP")
        channels = [SimpleNamespace(channel=SimpleNamespace(name=name)) for name in names]
        self.metadata = SimpleNamespace(channels=channels)
        points = [SimpleNamespace(name=name) for name in ("A1", "B2")]
        self.experiment = [
            SimpleNamespace(parameters=SimpleNamespace(periodMs=1500.0)),
            SimpleNamespace(parameters=SimpleNamespace(points=points)),
        ]

    def voxel_size(self):
        return SimpleNamespace(x=0.1, y=0.2, z=0.5)

    def read_frame(self, number):
        return self.data.reshape(-1, *self.data.shape[3:])[number]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None


@pytest.fixture
def nd2(monkeypatch, tmp_path, pixels):
    stack = pixels.transpose(0, 2, 1, 3, 4)  # T, Z, C, Y, X
    StandIn.stored = np.stack([stack, stack + 1], axis=1)  # T, P, Z, C, Y, X
    module = ModuleType("nd2")
    module.ND2File = StandIn
    monkeypatch.setitem(sys.modules, "nd2", module)
    path = tmp_path / "a.nd2"
    path.write_bytes(b"stand-in")
    return path


def test_positions_of_nd2(nd2, pixels):
    for position, name in enumerate(("A1", "B2")):
        image = same_lazily(nd2, series=name)
        assert image.axes == "TZCYX"
        assert np.array_equal(image.transpose("TCZYX").data, pixels + position)
        assert image.spacing == (0.5, 0.2, 0.1)
        assert image.interval == 1.5
        assert image.channels == ("DAPI", "GFP", "RFP")
    with pytest.raises(FormatError, match=r"0 \(A1\), 1 \(B2\)"):
        read(nd2)


def test_the_library_has_what_the_stand_in_has():
    library = pytest.importorskip("nd2")
    for name in ("sizes", "dtype", "voxel_size", "metadata", "experiment", "loop_indices"):
        assert hasattr(library.ND2File, name)
    assert hasattr(library.ND2File, "read_frame")


def test_an_absent_library_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nd2", None)
    path = tmp_path / "a.nd2"
    path.write_bytes(b"x")
    with pytest.raises(MissingError, match=r"napari-segment\[microscopes\]"):
        read(path)


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "a.nd2"
    path.write_bytes(b"this is nothing of the kind" * 20)
    with pytest.raises(FormatError, match=r"a\.nd2"):
        read(path)
