"""Work on many files: folders and patterns, processes, a report, and runs that go on."""

from napari_segment.api.batch.reading import Reading
from napari_segment.api.batch.run import Batch
from napari_segment.api.batch.verbs import (
    convert_files,
    convert_files_steps,
    filter_files,
    filter_files_steps,
    measure_files,
    measure_files_steps,
    segment_files,
    segment_files_steps,
)

__all__ = [
    "Batch",
    "Reading",
    "convert_files",
    "convert_files_steps",
    "filter_files",
    "filter_files_steps",
    "measure_files",
    "measure_files_steps",
    "segment_files",
    "segment_files_steps",
]
