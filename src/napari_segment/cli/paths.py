"""The files that a command is given: folders opened, results named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from napari_segment.errors import SettingError

Content: TypeAlias = Literal["labels", "floats"]


def is_image(path: Path) -> bool:
    """Whether a path is one image: a file, an OME-Zarr folder or a DICOM series."""
    from napari_segment import io

    return not path.is_dir() or io.is_image(path)


def inputs_of(names: Iterable[str]) -> Iterator[Path]:
    """List the inputs, with the images of each folder that is not one image itself."""
    from napari_segment.io import images_in

    for name in names:
        if not name:
            raise SettingError("An input has no name: is a variable unset?")
        path = Path(name)
        if is_image(path):
            yield path
            continue
        found = images_in(path)
        if not found:
            raise SettingError(f"The folder {path} holds no image that can be read.")
        yield from found


def of_equal_name(place: Path, path: Path) -> Path:
    """A file itself, or the one in a folder that is named like another, but for the suffix."""
    from napari_segment import io

    if is_image(place):
        return place
    found = [p for p in io.images_in(place) if io.stem(p) == io.stem(path)]
    if not found:
        raise SettingError(f"The folder {place} has no file named like {path.name}.")
    return found[0]


def keep(files: Iterable[str | Path], targets: Iterable[str | Path], what: str = "input") -> None:
    """Refuse to write over files, under whatever name, or over a Zarr folder with one in it.

    Parameters
    ----------
    files, targets : iterable of str or Path
        What is kept, and what is to be written; whether it is there or not.
    what : str
        What the files are.
    """
    paths = [Path(path).resolve() for path in files]
    protected = set(
        map(_identity, {*paths, *(folder for path in paths for folder in path.parents)})
    )
    for target in targets:
        if _identity(target) in protected:
            raise SettingError(
                f"{target} is or holds an {what}, which would be overwritten. Write to another "
                "place."
            )


def table_path(text: str, files: Iterable[str | Path]) -> Path:
    """Where a table goes: a file that ends with .csv, and none of those that are read."""
    if Path(text).suffix.lower() != ".csv":
        raise SettingError(f"Cannot write a table to {text!r}: end it with .csv.")
    keep(files, [text])
    return Path(text)


def _identity(path: str | Path) -> tuple[int, int] | Path:
    try:
        found = Path(path).stat()
    except OSError:
        return Path(path).resolve()
    return found.st_dev, found.st_ino


def targets_of(inputs: Sequence[Path], output: str, content: Content = "labels") -> list[Path]:
    """Where each result goes: OUT itself for one input, a file in the folder OUT for several.

    No result goes where an input is.

    Parameters
    ----------
    inputs : sequence of Path
        The files.
    output : str
        OUT.
    content : {"labels", "floats"}
        What the results hold, which decides the format where that of the input is not exact.
    """
    targets = _targets(inputs, output, content)
    keep(inputs, targets)
    return targets


def _targets(inputs: Sequence[Path], output: str, content: Content) -> list[Path]:
    from napari_segment import io

    target = Path(output)
    names = [_result_name(path, content) for path in inputs]
    if len(inputs) == 1 and io.is_readable(target):
        return [target]
    if len(inputs) == 1 and target.suffix and not target.is_dir() and not output.endswith("/"):
        raise SettingError(
            f"{output!r} has the suffix {target.suffix!r}, which is no known format: write such "
            f"as .tif, .nii.gz or .ome.zarr; for a folder of that name {output + '/'!r}."
        )
    if len(inputs) == 1 and target.is_file():
        raise SettingError(f"{output!r} is a file without a suffix that says its format.")
    if target.is_file() or (len(inputs) > 1 and io.is_readable(target)):
        raise SettingError(f"{len(inputs)} inputs need a folder for their results, not {output!r}.")
    if len(set(names)) < len(names):
        double = next(n for n in names if names.count(n) > 1)
        raise SettingError(f"Two inputs would both be written to {double!r}. Run them apart.")
    return [target / name for name in names]


def _result_name(path: Path, content: Content) -> str:
    """The input's own name, in a format that keeps what is written exactly."""
    from napari_segment import io

    if not io.is_readable(path):
        return path.name + ".nii.gz"  # a folder of DICOM slices
    return io.stem(path) + io.exact_suffix(path, content)
