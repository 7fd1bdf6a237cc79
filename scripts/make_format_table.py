"""Write the table of what each format holds into docs/files.md, by round trips."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from napari_segment import io
from napari_segment.errors import SegmentError
from napari_segment.image import Image, Labels, Stack

PAGE = Path(__file__).parents[1] / "docs" / "files.md"
TESTS = Path(__file__).parents[1] / "tests" / "io" / "formats"
# Of formats that are read only, or need more than a stack to be written: the test that shows it.
SHOWN_BY = {
    ".czi": ("microscopes/test_czi.py", "test_scenes_of_czi", "spacing unit channels time"),
    ".lif": ("microscopes/test_lif.py", "test_images_of_lif", "spacing unit channels time"),
    ".nd2": ("microscopes/test_nd2.py", "test_positions_of_nd2", "spacing unit channels time"),
    ".lsm": ("test_other_kinds.py", "test_lsm", "spacing unit"),
    ".stk": ("test_other_kinds.py", "test_stk", "spacing unit time"),
    ".hdr": ("test_other_kinds.py", "test_nifti_in_two_files", "spacing"),
    ".zarr.zip": ("test_omezarr.py", "test_in_a_zip_file", "spacing unit"),
    ".ozx": ("test_omezarr.py", "test_in_a_zip_file", "spacing unit"),
    ".dcm": ("test_dicom_segmentations.py", "test_labels_come_back", "spacing unit affine labels"),
    ".rtstruct.dcm": (
        "test_dicom_contours.py",
        "test_every_voxel_comes_back",
        "spacing unit affine labels",
    ),
    ".ply": ("test_meshes.py", "test_objects_lie_where_they_are", ""),
    ".obj": ("test_meshes.py", "test_objects_lie_where_they_are", ""),
    ".stl": ("test_meshes.py", "test_objects_lie_where_they_are", ""),
}
START, END = "<!-- made by scripts/make_format_table.py -->", "<!-- end of the made table -->"
COLUMNS = (
    "read", "lazy", "write", "spacing", "unit", "affine", "channels", "time", "labels exact",
    "shown by",
)  # fmt: skip
AFFINE = np.array([[2.0, 0, 0, 5], [0, 0.4, -0.3, -3], [0, 0.3, 0.4, 7], [0, 0, 0, 1]])


def main() -> None:
    """Replace the table on the page."""
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{START}\n{table()}\n{END}{after}", "utf-8")


def table() -> str:
    """The table in Markdown: a row for each suffix that is written."""
    rows = [f"| suffix | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for form in sorted(io.formats.values(), key=lambda form: form.name):
            if not form.read.__module__.startswith("napari_segment."):
                continue
            for suffix in form.suffixes:
                cells = [_cell(form, suffix, column, Path(folder)) for column in COLUMNS]
                rows.append(f"| `{suffix}` | {' | '.join(cells)} |")
    return "\n".join(rows)


def _cell(form: io.Format, suffix: str, column: str, folder: Path) -> str:
    if column in ("read", "lazy", "write"):
        labels_only = column == "write" and form.writes and not form.writes_images
        has = {"read": form.reads, "lazy": form.lazy, "write": form.writes}[column]
        return "labels" if labels_only else "yes" if has else "no"
    if not form.writes or not form.reads or form.name in ("dicom", "rt_structures"):
        return _of_test(suffix, column)
    if column == "shown by":
        return "round trip"
    global _as_labels
    _as_labels = not form.writes_images
    probes: dict[str, Callable[[Path], bool]] = {
        "spacing": _spacing, "unit": _unit, "affine": _affine, "channels": _channels,
        "time": _time, "labels exact": _labels,
    }  # fmt: skip
    try:
        return "yes" if probes[column](folder / f"{column.replace(' ', '')}{suffix}") else "no"
    except SegmentError:
        return "no"


def _of_test(suffix: str, column: str) -> str:
    """What a named test shows of a format; – where none does."""
    file, test, shown = SHOWN_BY.get(suffix, ("", "", ""))
    if file and f"def {test}(" not in (TESTS / file).read_text("utf-8"):
        raise SystemExit(f"{suffix}: there is no {test} in tests/io/formats/{file}.")
    if column == "shown by":
        return f"`{test}`" if test else "–"
    return "yes" if column.split(maxsplit=1)[0] in shown.split() else "–"


_as_labels = False  # whether the format that is probed holds labels alone


def _probe(axes: str = "ZYX") -> Any:
    """An image or labels of random numbers."""
    sizes = {"T": 2, "C": 3, "Z": 4, "Y": 17, "X": 18}
    data = np.random.default_rng(0).integers(0, 200, [sizes[a] for a in axes]).astype(np.uint8)
    return Labels(data, axes) if _as_labels and "C" not in axes else Image(data, axes)


def _back(stack: Stack, path: Path) -> Any:
    return (io.read_labels if isinstance(stack, Labels) else io.read)(io.write(stack, path))


def _first(path: Path, **changes: object) -> tuple[Any, Any]:
    """A volume, or where that cannot be written a plane, and what comes back."""
    for axes, spacing in (("ZYX", (2.0, 0.5, 0.4)), ("YX", (0.5, 0.4))):
        image = _probe(axes).replace(spacing=spacing, unit="millimeter")
        image = image.replace(**changes) if axes == "ZYX" else image
        try:
            return image, _back(image, path)
        except SegmentError:
            continue
    raise SegmentError("neither a volume nor a plane is written")


def _spacing(path: Path) -> bool:
    image, restored = _first(path)
    return np.allclose(image.spacing, restored.spacing)


def _unit(path: Path) -> bool:
    image, restored = _first(path, unit="micrometer")
    return image.unit == restored.unit


def _affine(path: Path) -> bool:
    image, restored = _first(path, affine=AFFINE, spacing=())
    return restored.affine is not None and np.allclose(image.world(), restored.world(), atol=1e-4)


def _channels(path: Path) -> bool:
    image = _probe("CZYX").replace(channels=("DAPI", "GFP", "RFP"))
    restored = _back(image, path)
    return restored.channels == image.channels and bool(
        (restored.canonical().data == image.data).all()
    )


def _time(path: Path) -> bool:
    image = _probe("TZYX").replace(interval=2.5)
    restored = _back(image, path)
    return restored.axes == image.axes and bool(np.isclose(restored.interval, 2.5))


def _labels(path: Path) -> bool:
    data = np.arange(17 * 18).reshape(17, 18).astype(np.uint16)
    restored = io.read_labels(io.write(Labels(data, "YX"), path))
    return bool((np.asarray(restored.data) == data).all())


if __name__ == "__main__":
    main()
