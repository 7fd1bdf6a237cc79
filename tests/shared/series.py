"""A series of a CT, slice by slice."""

import numpy as np
import pydicom
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid


def oblique_series(folder, rng):
    """Five slices of a CT, 2.5 mm apart, that lie obliquely."""
    folder.mkdir()
    turned, normal = np.array([1, 0, 0, 0, 0.8, 0.6]), np.array([0, -0.6, 0.8])
    study, uid, frame = (generate_uid() for _ in range(3))
    for number in range(5):
        meta = pydicom.dataset.FileMetaDataset()
        meta.MediaStorageSOPClassUID = CTImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        head = pydicom.dataset.FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        fields = {
            "SOPClassUID": CTImageStorage, "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
            "StudyInstanceUID": study, "SeriesInstanceUID": uid, "FrameOfReferenceUID": frame,
            "PatientID": "1", "PatientName": "A^B", "PatientBirthDate": "", "PatientSex": "",
            "StudyDate": "20200101", "StudyTime": "000000", "StudyID": "1", "AccessionNumber": "",
            "ReferringPhysicianName": "", "Modality": "CT", "SeriesNumber": 3,
            "InstanceNumber": number + 1, "Rows": 7, "Columns": 9, "PixelSpacing": [0.5, 0.75],
            "ImageOrientationPatient": list(turned), "SliceThickness": 2.5,
            "ImagePositionPatient": list(np.array([10, 20, 30]) + normal * 2.5 * number),
            "PhotometricInterpretation": "MONOCHROME2", "SamplesPerPixel": 1, "BitsAllocated": 16,
            "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 0,
            "PositionReferenceIndicator": "",
            "PixelData": rng.integers(0, 999, (7, 9)).astype(np.uint16).tobytes(),
        }  # fmt: skip
        for name, value in fields.items():
            setattr(head, name, value)
        head.save_as(folder / f"{number}.dcm", enforce_file_format=True)
    return folder
