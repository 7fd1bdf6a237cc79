"""The files that work on many is given: folders opened, results named."""

from __future__ import annotations

import glob
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from napari_segment.errors import InputError, SettingError
from napari_segment.io.names import natural

Content: TypeAlias = Literal["labels", "floats"]
Paths: TypeAlias = str | Path | Iterable[str | Path]


def is_image(path: Path) -> bool:
    """Whether a path is one image: a file, an OME-Zarr folder or a DICOM series."""
    from napari_segment import io

    return not path.is_dir() or io.is_image(path)


def inputs_of(names: Paths, *, recursive: bool = False, skip: str | Path = "") -> dict[Path, Path]:
    """List the inputs: files, patterns such as ``*.tif``, and the images of folders.

    Parameters
    ----------
    names : str, Path, or iterable of these
        A folder that is one image itself, such as a DICOM series, is one input.
    recursive : bool
        Whether the folders below a folder are listed too.
    skip : str or Path
        A folder that is left out, as that of the results.

    Returns
    -------
    dict of Path to Path
        Each input, with the folder below which its result goes, relative to that of the results.
    """
    inputs: dict[Path, Path] = {}
    for name in listed(names):
        if not str(name):
            raise SettingError("An input has no name: is a variable unset?")
        for path in _expanded(str(name)):
            if is_image(path):
                inputs.setdefault(path, Path())
            else:
                inputs |= _images_below(path, recursive, skip)
    return inputs


def listed(names: Paths) -> list[str | Path]:
    """One path or several, as a list."""
    return [names] if isinstance(names, str | Path) else list(names)


def without_maps(inputs: Mapping[Path, Path], given: Iterable[str | Path]) -> dict[Path, Path]:
    """Leave out maps (of probabilities and the like) that lie next to results.

    Parameters
    ----------
    inputs : mapping of Path to Path
        As of `inputs_of`.
    given : iterable of str or Path
        What was named itself, which stays.
    """
    from napari_segment import io

    names = {path: str(path.with_name(io.stem(path))) for path in inputs}
    named, results = set(map(Path, given)), set(names.values())
    return {
        path: folder
        for path, folder in inputs.items()
        if path in named or not is_map(names[path], results)
    }


def is_map(name: str, results: Container[str]) -> bool:
    """Whether a file is a map that lies next to a result, by their names without suffix."""
    return name.rpartition(".")[0] in results


def _expanded(name: str) -> list[Path]:
    """The paths that a pattern stands for, where the shell did not say; else the path itself."""
    path = Path(name)
    if path.exists() or not glob.has_magic(name):
        return [path]
    paths = sorted(glob.iglob(name, recursive=True), key=natural)  # noqa: PTH207 a whole path
    if not paths:
        raise SettingError(f"No file matches {name!r}.")
    return list(map(Path, paths))


def _images_below(folder: Path, recursive: bool, skip: str | Path) -> dict[Path, Path]:
    from napari_segment.io import images_in

    without = Path(skip).resolve() if skip else None
    images = {
        path: path.parent.relative_to(folder)
        for path in images_in(folder, recursive=recursive)
        if without is None or not recursive or without not in path.resolve().parents
    }
    if not images:
        hint = "" if recursive else " For the folders in it, add recursive=True."
        raise SettingError(f"The folder {folder} holds no image that can be read.{hint}")
    return images


class Matching:
    """The files that belong to inputs: one file for all, or those of equal names in a folder.

    Parameters
    ----------
    path : Path
        The file or folder.
    recursive : bool
        Whether the folder has the same folders as that of the inputs.
    """

    def __init__(self, path: Path, recursive: bool = False) -> None:
        self.path, self.recursive = path, recursive
        self._files: dict[Path, dict[str, Path]] = {}

    def like(self, path: Path, folder: Path) -> Path:
        """The file for an input of some folder, relative to that of the inputs."""
        from napari_segment import io

        if is_image(self.path):
            return self.path
        where = self.path / folder if self.recursive else self.path
        if where not in self._files:
            images = io.images_in(where) if where.is_dir() else []
            self._files[where] = {io.stem(p): p for p in reversed(images)}
        try:
            return self._files[where][io.stem(path)]
        except KeyError:
            raise InputError(f"The folder {where} has no file named like {path.name}.") from None


def protect(
    files: Iterable[str | Path], targets: Iterable[str | Path], what: str = "input"
) -> None:
    """Refuse to write over files, under whatever name, or over a Zarr folder with one in it.

    Parameters
    ----------
    files, targets : iterable of str or Path
        What stays as it is, and what is to be written; whether it exists or not.
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
                "folder."
            )


def table_path(text: str | Path, files: Iterable[str | Path]) -> Path:
    """Where a table goes: a file that ends with .csv, and none of those that are read."""
    if Path(text).suffix.lower() != ".csv":
        raise SettingError(f"Cannot write a table to {str(text)!r}: end it with .csv.")
    protect(files, [text])
    return Path(text)


def _identity(path: str | Path) -> tuple[int, int] | Path:
    try:
        status = Path(path).stat()
    except OSError:
        return Path(path).resolve()
    return status.st_dev, status.st_ino


def targets_of(
    inputs: Mapping[Path, Path], output: str | Path, content: Content = "labels"
) -> list[Path]:
    """Where each result goes: OUT itself for one input, a file in the folder OUT for several.

    No result goes where an input is.

    Parameters
    ----------
    inputs : mapping of Path to Path
        The files, and the folder of each result below OUT.
    output : str or Path
        OUT.
    content : {"labels", "floats"}
        What the results hold, which decides the format where that of the input is not exact.
    """
    targets = _targets(inputs, str(output), content)
    protect(inputs, targets)
    return targets


def _targets(inputs: Mapping[Path, Path], output: str, content: Content) -> list[Path]:
    from napari_segment import io

    target = Path(output)
    names = [folder / _result_name(path, content) for path, folder in inputs.items()]
    if len(inputs) == 1 and (io.is_readable(target) or io.is_inside(target)):
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
        raise SettingError(f"Two inputs would both be written to {str(double)!r}. Run them apart.")
    return [target / name for name in names]


def _result_name(path: Path, content: Content) -> str:
    """The input's own name, in a format that keeps what is written exactly."""
    from napari_segment import io

    if not io.is_readable(path):
        return path.name + ".nii.gz"  # a folder of DICOM slices
    return io.stem(path) + io.exact_suffix(path, content)
