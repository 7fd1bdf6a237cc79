"""The registry of file formats: what each reads and writes, in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from napari_segment.errors import PluginError

_BUILT_IN = (
    "tiff", "omezarr", "nifti", "nrrd", "metaimage", "dicom", "raster", "numpy_arrays", "hdf5",
    "geojson", "meshes", "imagej_rois", "microscopes.czi", "microscopes.lif", "microscopes.nd2",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Format:
    """A file format.

    Parameters
    ----------
    name, title : str
        The name in the registry; the name in messages.
    suffixes : tuple of str
        In lower case with their dot; compound ones (".nii.gz") whole.
    read : callable
        ``read(path, *, axes, lazy, series) -> Contents``.
    read_indices : callable, optional
        Likewise for labels, where that differs (palettes).
    write : callable, optional
        ``write(stack, path)``; without it, the format is read only.
    writes_images : bool
        Whether images are written too, not only labels.
    reads : bool
        Whether files of it are read; else `read` says why not.
    lazy : bool
        Whether ``read(lazy=True)`` leaves the pixels in the file.
    labels_as, floats_as : str
        The suffix under which labels, or floating-point values, are written instead, where this
        format does not hold them exactly; "" where it does.
    names : tuple of str
        Patterns of usual file names without a suffix, as for `fnmatch`, in lower case; letters that
        may be upper case as "?".
    is_file, is_folder : callable, optional
        Whether a file without a known suffix, or a folder, is of this format, by its content.
    writes_inside : callable, optional
        Whether a path without a known suffix is one inside a file of this format.
    written : callable, optional
        ``written(path)`` is called when a file is in its place.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    read: Callable[..., Any]
    read_indices: Callable[..., Any] | None = None
    write: Callable[..., None] | None = None
    writes_images: bool = True
    reads: bool = True
    lazy: bool = False
    labels_as: str = ""
    floats_as: str = ""
    names: tuple[str, ...] = ()
    is_file: Callable[[Path], bool] | None = None
    is_folder: Callable[[Path], bool] | None = None
    writes_inside: Callable[[Path], bool] | None = None
    written: Callable[[Path], None] | None = None

    @property
    def writes(self) -> bool:
        """Whether the format is written."""
        return self.write is not None


def _keeps(form: Format, content: Literal["images", "labels"]) -> bool:
    """Whether a format is written and keeps what is written exactly."""
    if not form.writes_images:
        return form.writes and content == "labels"
    return form.writes and not (form.labels_as or form.floats_as)


class Formats(Mapping[str, Format]):
    """The file formats by name: those of this package, then those that plug-ins add."""

    def __init__(self) -> None:
        self._formats: dict[str, Format] = {}
        self._loaded = False

    def add(self, form: Format) -> Format:
        """Register a format; a plug-in calls it in the module of its entry point.

        Raises
        ------
        PluginError
            If another format has its name or one of its suffixes.
        """
        for other in self._formats.values():
            shared = sorted({form.name, *form.suffixes} & {other.name, *other.suffixes})
            if shared and form.read.__module__ != other.read.__module__:
                raise PluginError(
                    f"The format {form.name!r} of {form.read.__module__} takes {shared[0]!r}, which"
                    f" belongs to {other.name!r} of {other.read.__module__}. Choose another."
                )
        self._formats[form.name] = form
        return form

    def suffix(self, name: str) -> str:
        """Return the longest known suffix at the end of a name, or "". Plug-ins are asked last."""
        return self._known_suffix(name.lower()) or self._known_suffix(name.lower(), plugins=True)

    def of_suffix(self, suffix: str) -> Format | None:
        """Return the format of a suffix."""
        whole = self.suffix(suffix)
        return next((f for f in self._formats.values() if whole in f.suffixes), None)

    def reader_patterns(self) -> list[str]:
        """Return the file name patterns of this package's formats for napari's manifest."""
        own = [f for f in self._own() if f.reads]
        return [p for f in own for p in (*(f"*{s}" for s in f.suffixes), *f.names)]

    def writer_extensions(self, content: Literal["images", "labels"]) -> list[str]:
        """The suffixes of this package's formats that keep labels, or all images, exactly."""
        return [s for f in self._own() if _keeps(f, content) for s in f.suffixes]

    def _own(self) -> list[Format]:
        package = __name__.rpartition(".")[0]
        own = [f for f in self._load_own() if f.read.__module__.startswith(f"{package}.")]
        return sorted(own, key=lambda f: f.name)

    def of_content(self, path: Path) -> Format | None:
        """Return the format that recognises the content of a file or folder."""
        for form in self.values():
            recognises = form.is_folder if path.is_dir() else form.is_file
            if recognises and recognises(path):
                return form
        return None

    def _known_suffix(self, name: str, *, plugins: bool = False) -> str:
        forms = self.values() if plugins else self._load_own()
        known = [s for f in forms for s in f.suffixes if name.endswith(s)]
        return max(known, key=len, default="")

    def _load_own(self) -> list[Format]:
        if not self._loaded:
            self._loaded = True
            for module in _BUILT_IN:
                import_module(f"napari_segment.io.formats.{module}")
        return list(self._formats.values())

    def _load(self) -> dict[str, Format]:
        from napari_segment.registry import load_plugins

        self._load_own()
        load_plugins()
        return self._formats

    def __getitem__(self, name: str) -> Format:
        return self._load()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._load()))

    def __len__(self) -> int:
        return len(self._load())


formats = Formats()
