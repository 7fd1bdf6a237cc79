"""RT Structure Sets: contours of structures in the slices of a series, as labels and from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.distribution import version
from napari_segment.errors import FormatError
from napari_segment.image import Labels, Stack, smallest_integers
from napari_segment.io.contents import COLORS, DICOM, Contents, gather
from napari_segment.io.formats._dicom_files import CONTOURS, image_headers, is_series
from napari_segment.io.formats._dicom_frames import geometry, sorted_frames
from napari_segment.io.formats._dicom_seg_writing import affine_of, labels_of, source_of
from napari_segment.io.formats._pixel_outlines import Ring, corner_rings, filled

if TYPE_CHECKING:
    from pydicom import Dataset

_KIND = "DICOM RT Structure Set"
_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])[[2, 1, 0, 3]]  # of (x, y, z) to (superior, anterior, right)
_APART = 0.5  # of a slice, from which on a contour lies in none
_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")


def read_contours(path: Path, axes: str = "", series: str = "") -> Contents:
    """Read the structures of a file as classes, on the grid of the images that it refers to.

    These lie in the folder of the file, in one in it or next to it. A voxel belongs to a structure
    where its centre lies in an odd number of its contours in that slice.

    Parameters
    ----------
    path : Path
        The file.
    axes : str
        Axis letters, which win.
    series : str
        The name of one structure; "" for all, which then must not overlap.
    """
    import pydicom

    head = pydicom.dcmread(path)
    source, heads = _images_of(head, path)
    letters, metadata = geometry(sorted_frames(heads, path), path, None)
    shape = metadata.pop("shape")
    if letters != "ZYX" or metadata.get("affine") is None:
        raise FormatError(f"{path.name} refers to images that are no volume with a position.")
    data = np.zeros(shape, np.uint16)
    names: dict[int, str] = {}
    colors: dict[int, tuple[float, ...]] = {}
    to_index = np.linalg.inv(np.asarray(metadata["affine"], float)) @ _LPS
    for number, name, color, contours in _structures(head, path, series):
        names[number] = name
        colors |= {number: color} if color else {}
        for plane, rings in _by_slice(contours, to_index, shape, path, name).items():
            mask, (top, left) = filled(rings, (shape[1], shape[2]))
            part = data[plane, top : top + mask.shape[0], left : left + mask.shape[1]]
            others = sorted({int(v) for v in np.unique(part[mask])} - {0, number})
            if others:
                raise FormatError(
                    f"{path.name} has structures that overlap ({names[others[0]]!r} and {name!r}), "
                    "which labels cannot hold. Read one by its name: series=…."
                )
            part[mask] = number
    data = data.astype(smallest_integers(max(names, default=1)))
    uid = str(heads[0].get("SeriesInstanceUID", ""))
    metadata["header"] = metadata.get("header", {}) | {
        COLORS: colors, DICOM: {"source": str(source), "series": uid}
    }  # fmt: skip
    return gather(
        path, data, letters, metadata.pop("scale"), wanted=axes, holds="classes", names=names,
        **metadata,
    )  # fmt: skip


def _images_of(head: Dataset, path: Path) -> tuple[Path, list[Any]]:
    """The folder and the headers of the series that a file refers to."""
    wanted = _series_of(head)
    folders = [path.parent, *(f for f in sorted(path.parent.iterdir()) if f.is_dir())]
    folders += [f for f in sorted(path.parent.parent.iterdir()) if f.is_dir()]
    for folder in dict.fromkeys(folders):
        try:
            heads = image_headers(folder) if is_series(folder) else []
        except (FormatError, PermissionError):  # of something else
            continue
        own = [h for h in heads if str(h.get("SeriesInstanceUID", "")) == wanted]
        if own:
            return folder, own
    raise FormatError(
        f"{path.name} refers to the images of the series {wanted or 'of no name'}, which are "
        "neither in its folder nor in one in it or next to it. Put them there."
    )


def _series_of(head: Dataset) -> str:
    for frame in head.get("ReferencedFrameOfReferenceSequence") or ():
        for study in frame.get("RTReferencedStudySequence") or ():
            for series in study.get("RTReferencedSeriesSequence") or ():
                return str(series.get("SeriesInstanceUID", ""))
    return ""


def _structures(
    head: Dataset, path: Path, chosen: str
) -> Iterator[tuple[int, str, tuple[float, ...], Sequence[Any]]]:
    """Number, name, colour and contours of each structure that has any."""
    known = {int(r.ROINumber): str(r.get("ROIName", "")) for r in head.StructureSetROISequence}
    if chosen and chosen not in known.values():
        listed = ", ".join(map(repr, known.values()))
        raise FormatError(f"{path.name} has no structure {chosen!r}; it has {listed}.")
    for item in head.get("ROIContourSequence") or ():
        number = int(item.ReferencedROINumber)
        name = known.get(number, "") or f"structure {number}"
        contours = item.get("ContourSequence") or ()
        closed = [c for c in contours if str(c.get("ContourGeometricType", "")) in _CLOSED]
        if closed and (not chosen or name == chosen):
            color = tuple(int(v) / 255 for v in item.get("ROIDisplayColor") or ())
            yield number, name, color, closed


def _by_slice(
    contours: Sequence[Any],
    to_index: NDArray[np.float64],
    shape: Sequence[int],
    path: Path,
    name: str,
) -> dict[int, list[Ring]]:
    """The outlines in each slice, x and y from the corner of its first pixel."""
    planes: dict[int, list[Ring]] = defaultdict(list)
    for contour in contours:
        points = np.array(contour.ContourData, float).reshape(-1, 3)
        index = np.c_[points, np.ones(len(points))] @ to_index.T
        plane = round(float(np.median(index[:, 0])))
        if np.abs(index[:, 0] - plane).max() >= _APART or not 0 <= plane < shape[0]:
            raise FormatError(
                f"{path.name} has a contour of {name!r} that lies in no slice of the images."
            )
        planes[plane].append(index[:, [2, 1]] + 0.5)
    return planes


# ---- writing ----


def write_contours(stack: Stack, path: Path) -> None:
    """Write labels as a structure each, with contours along the edges of their voxels.

    Every voxel comes back. A structure with holes has contours that are combined by exclusive or
    (CLOSEDPLANAR_XOR).

    Raises
    ------
    FormatError
        If it is an image, or the series that it belongs to is not known.
    """
    labels = labels_of(stack, path, _KIND)
    heads = source_of(labels, path, _KIND)
    values = [int(v) for v in np.unique(labels.data) if v > 0]
    if not values:
        raise FormatError("The labels are empty: there is no structure to write.")
    made = _head(heads)
    made.ROIContourSequence = [_contours(labels, value, heads) for value in values]
    made.StructureSetROISequence = [_described(labels, value, heads[0]) for value in values]
    made.RTROIObservationsSequence = [_observed(value) for value in values]
    made.save_as(path, enforce_file_format=True)


def _set(**values: Any) -> Dataset:
    from pydicom import Dataset

    made = Dataset()
    for name, value in values.items():
        setattr(made, name, value)
    return made


def _head(heads: Sequence[Any]) -> Any:
    import pydicom
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    first, now, uid = heads[0], datetime.now(), generate_uid()
    meta = pydicom.dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CONTOURS, uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = pydicom.dataset.FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    for name in (
        "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate",
        "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyInstanceUID",
    ):  # fmt: skip
        setattr(made, name, first.get(name, ""))
    images = [
        _set(ReferencedSOPClassUID=h.SOPClassUID, ReferencedSOPInstanceUID=h.SOPInstanceUID)
        for h in heads
    ]
    series = _set(SeriesInstanceUID=first.SeriesInstanceUID, ContourImageSequence=images)
    study = _set(
        ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1",
        ReferencedSOPInstanceUID=first.StudyInstanceUID, RTReferencedSeriesSequence=[series],
    )  # fmt: skip
    frame = _set(
        FrameOfReferenceUID=first.FrameOfReferenceUID, RTReferencedStudySequence=[study]
    )  # fmt: skip
    values = {
        "SOPClassUID": CONTOURS, "SOPInstanceUID": uid, "Modality": "RTSTRUCT",
        "SeriesInstanceUID": generate_uid(), "SeriesNumber": None, "Manufacturer": "napari-segment",
        "SoftwareVersions": version(), "StructureSetLabel": "LABELS", "OperatorsName": "",
        "StructureSetDate": now.strftime("%Y%m%d"), "StructureSetTime": now.strftime("%H%M%S"),
        "ApprovalStatus": "UNAPPROVED", "ReferencedFrameOfReferenceSequence": [frame],
        "FrameOfReferenceUID": first.FrameOfReferenceUID, "PositionReferenceIndicator": "",
    }  # fmt: skip
    for name, value in values.items():
        setattr(made, name, value)
    return made


def _described(labels: Labels, value: int, head: Dataset) -> Dataset:
    noun = "object" if labels.holds == "objects" else "class"
    return _set(
        ROINumber=value, ReferencedFrameOfReferenceUID=head.FrameOfReferenceUID,
        ROIName=(labels.names.get(value) or f"{noun} {value}")[:64],
        ROIGenerationAlgorithm="MANUAL" if labels.recipe is None else "AUTOMATIC",
    )  # fmt: skip


def _observed(value: int) -> Dataset:
    return _set(
        ObservationNumber=value, ReferencedROINumber=value, RTROIInterpretedType="",
        ROIInterpreter="",
    )  # fmt: skip


def _contours(labels: Labels, value: int, heads: Sequence[Any]) -> Dataset:
    to_world = affine_of(labels)
    volume = np.asarray(labels.data).reshape(-1, labels.size("Y"), labels.size("X")) == value
    rings = [
        (z, ring) for z in np.flatnonzero(volume.any((1, 2))) for ring in corner_rings(volume[z])
    ]
    holed = any(_signed_area(ring) < 0 for _, ring in rings)
    items = []
    for z, ring in rings:
        index = np.c_[np.full(len(ring), z), ring[:, ::-1] - 0.5, np.ones(len(ring))]
        points = (index @ to_world.T)[:, :3]
        nearest = heads[int(np.argmin([_distance(head, points[0]) for head in heads]))]
        image = _set(
            ReferencedSOPClassUID=nearest.SOPClassUID,
            ReferencedSOPInstanceUID=nearest.SOPInstanceUID,
        )
        items.append(_set(
            ContourImageSequence=[image], ContourGeometricType=_CLOSED[holed],
            NumberOfContourPoints=len(points),
            ContourData=[f"{v:.10g}"[:16] for v in points.ravel()],
        ))  # fmt: skip
    color = labels.header.get(COLORS, {}).get(value)
    shown = {} if color is None else {"ROIDisplayColor": [round(255 * v) for v in color]}
    return _set(ReferencedROINumber=value, ContourSequence=items, **shown)


def _signed_area(ring: NDArray[np.int64]) -> float:
    """Positive around pixels, negative around holes."""
    x, y = ring.astype(float).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def _distance(head: Dataset, point: NDArray[np.float64]) -> float:
    """From the plane of an image, along its normal."""
    turned = np.array(head.ImageOrientationPatient, float)
    normal = np.cross(turned[:3], turned[3:])
    return abs(float(normal @ (point - np.array(head.ImagePositionPatient, float))))
