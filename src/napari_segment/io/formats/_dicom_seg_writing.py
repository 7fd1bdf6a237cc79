"""Labels as a DICOM Segmentation, which refers to the images that it was made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.distribution import version
from napari_segment.errors import FormatError, MissingError
from napari_segment.image import Labels, Stack
from napari_segment.image.units import length_factor
from napari_segment.io.contents import COLORS, DICOM, plane_matrix
from napari_segment.io.formats._dicom_files import image_headers
from napari_segment.io.formats._dicom_segments import TRACKED

_COPIED = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate",
    "StudyTime", "AccessionNumber", "ReferringPhysicianName", "PositionReferenceIndicator",
)  # fmt: skip
_MOST_EMPTY = 4096  # frames of segments, up to which empty ones are written too
_TISSUE = ("85756007", "SCT", "Tissue")
_ANATOMY = ("91723000", "SCT", "Anatomical structure")


def write_segmentation(stack: Stack, path: Path) -> None:
    """Write labels as a DICOM Segmentation, one segment for each label.

    It refers to the series that ``header["dicom"]["source"]`` names, as images have it that were
    read from DICOM, and lies in its frame of reference.

    Raises
    ------
    FormatError
        If it is an image, or the series is not known.
    MissingError
        Without highdicom.
    """
    labels = labels_of(stack, path)
    segmentation = _segmentation(labels, source_of(labels, path))
    segmentation.save_as(path, enforce_file_format=True)


def labels_of(stack: Stack, path: Path, kind: str = "DICOM Segmentation") -> Labels:
    """Labels in memory that an object of some kind can hold.

    Raises
    ------
    FormatError
        If it is an image, or not one volume in a unit of length.
    """
    if not isinstance(stack, Labels):
        raise FormatError(
            f"{path.name}: labels are written as {kind}, images are not written as "
            "DICOM. Write .nii.gz or .nrrd instead."
        )
    if "T" in stack.axes or length_factor(stack.unit, "millimeter") is None:
        raise FormatError(
            f"{path.name} cannot hold labels with axes {stack.axes} in {stack.unit!r}: a "
            f"{kind} is one volume in millimeter. Write .nii.gz or .nrrd instead."
        )
    return stack.compute()


def source_of(labels: Labels, path: Path, kind: str = "DICOM Segmentation") -> list[Any]:
    """The headers of the series that the labels were made of.

    Raises
    ------
    FormatError
        If it is not known or not there.
    """
    stated = labels.header.get(DICOM, {})
    folder = Path(str(stated.get("source", "")))
    if not stated.get("source") or not folder.exists():
        where = f" ({folder} is not there)" if stated.get("source") else ""
        raise FormatError(
            f"{path.name}: a {kind} refers to the images that it was made of, which "
            f"are not known{where}. Name them: napari-segment convert LABELS -o OUT.dcm "
            "--reference FOLDER, or the parameter reference of napari_segment.write."
        )
    series = str(stated.get("series", ""))
    heads = image_headers(folder)
    chosen = [h for h in heads if str(h.get("SeriesInstanceUID", "")) == series]
    return [_completed(head) for head in chosen or heads]


def _completed(head: Any) -> Any:
    """The header with the attributes that a Segmentation copies, which anonymisers remove."""
    if not head.get("SOPClassUID"):
        head.SOPClassUID = head.file_meta.MediaStorageSOPClassUID
    if not head.get("SOPInstanceUID"):
        head.SOPInstanceUID = head.file_meta.MediaStorageSOPInstanceUID
    for name in _COPIED:
        if name not in head:
            setattr(head, name, "")
    return head


def _segmentation(labels: Labels, heads: list[Any]) -> Any:
    try:
        import highdicom
    except ImportError:
        raise MissingError(
            "Writing DICOM Segmentations needs highdicom: pip install 'napari-segment[dicom]'."
        ) from None
    values = [int(v) for v in np.unique(labels.data) if v] or list(labels.names)[:1]
    if not values:
        raise FormatError("The labels are empty and have no names: there is no segment to write.")
    numbers = numbers_of(values)
    pixels = _renumbered(labels.data, numbers).reshape(-1, labels.size("Y"), labels.size("X"))
    volume = highdicom.Volume(
        pixels, affine_of(labels), coordinate_system="PATIENT",
        frame_of_reference_uid=str(heads[0].FrameOfReferenceUID),
    )  # fmt: skip
    described = [_segment(labels, value, number) for value, number in numbers.items()]
    return highdicom.seg.Segmentation(
        source_images=heads,
        pixel_array=volume,
        segmentation_type="BINARY",
        segment_descriptions=described,
        series_instance_uid=highdicom.UID(),
        series_number=int(heads[0].get("SeriesNumber") or 0) + 1000,
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer="napari-segment",
        manufacturer_model_name="napari-segment",
        software_versions=version(),
        device_serial_number="0",
        omit_empty_frames=len(values) * len(pixels) > _MOST_EMPTY,
        content_label="SEGMENTATION",
    )


def numbers_of(values: Sequence[int]) -> dict[int, int]:
    """The segment of each label; they are counted from 1."""
    return {value: number for number, value in enumerate(sorted(values), 1)}


def _renumbered(data: NDArray[Any], numbers: Mapping[int, int]) -> NDArray[np.uint16]:
    stored, inverse = np.unique(data, return_inverse=True)
    new = np.array([numbers.get(int(v), 0) for v in stored], np.uint16)
    return new[inverse].reshape(data.shape)


def affine_of(labels: Labels) -> NDArray[np.float64]:
    """From (z, y, x) to (left, posterior, superior) in millimetres."""
    plane = plane_matrix(labels)
    matrix = np.eye(4)
    if plane is not None:
        matrix = plane
    elif len(labels.spacing) == 3:
        matrix = labels.world()
    else:
        matrix[1:, 1:] = labels.world()
    factor = length_factor(labels.unit, "millimeter") or 1.0
    rows = np.diag([-factor, -factor, factor, 1.0]) @ matrix[[2, 1, 0, 3]]
    return np.asarray(rows, np.float64)


def _segment(labels: Labels, value: int, number: int) -> Any:
    import highdicom
    from pydicom.sr.codedict import codes

    name = (
        labels.names.get(value) or f"{'object' if labels.holds == 'objects' else 'class'} {value}"
    )
    category, kind = _codes(labels, value, name)
    recipe = labels.recipe
    algorithm = highdicom.AlgorithmIdentificationSequence(
        name="napari-segment", family=codes.DCM.ArtificialIntelligence, version=version()
    )
    color = labels.header.get(COLORS, {}).get(value)
    tracked = value != number
    return highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=name[:64],
        segmented_property_category=category,
        segmented_property_type=kind,
        algorithm_type="MANUAL" if recipe is None else "AUTOMATIC",
        algorithm_identification=None if recipe is None else algorithm,
        tracking_uid=highdicom.UID() if tracked else None,
        tracking_id=f"{TRACKED}{value}" if tracked else None,
        display_color=None if color is None else _cielab(color),
    )


def _codes(labels: Labels, value: int, name: str) -> tuple[Any, Any]:
    """The codes that were read, else those of SNOMED CT for a name that it has, else tissue."""
    from pydicom.sr.codedict import codes
    from pydicom.sr.coding import Code

    stated = labels.header.get(DICOM, {}).get("codes", {}).get(value)
    if stated:
        return Code(*stated["category"]), Code(*stated["type"])
    keyword = "".join(word.capitalize() for word in name.replace("_", " ").split())
    try:
        return Code(*_ANATOMY), getattr(codes.SCT, keyword)
    except AttributeError:
        return Code(*_TISSUE), Code(*_TISSUE)


def _cielab(color: Sequence[float]) -> Any:
    from highdicom.color import CIELabColor
    from skimage.color import rgb2lab

    return CIELabColor(*map(float, rgb2lab(np.array(color, float))))
