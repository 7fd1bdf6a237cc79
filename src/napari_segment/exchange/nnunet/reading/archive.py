"""The zip archive of a PyTorch checkpoint: its description and the bytes of its tensors."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from napari_segment.errors import FormatError

MOST_MEMBERS = 100_000
LARGEST_DESCRIPTION = 2**26  # bytes of data.pkl
_DESCRIPTION = "data.pkl"


class Archive:
    """A file of ``torch.save``, opened for reading.

    Members are stored uncompressed, so that none of them can be larger than the file.

    Parameters
    ----------
    path : Path
        Such as ``checkpoint_final.pth``.

    Raises
    ------
    FormatError
        If the file cannot be read, is no zip archive of PyTorch, or goes beyond a bound.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._zip = self._opened()
        try:
            self._members = self._checked_members()
        except FormatError:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._zip.close()

    def description(self) -> bytes:
        """Return the pickle that says what the file holds."""
        return self._read(self._members[_DESCRIPTION])

    def tensor_bytes(self, key: str, count: int) -> bytearray:
        """Return the bytes of one storage.

        Parameters
        ----------
        key : str
            Its name in the folder ``data`` of the archive.
        count : int
            How many bytes there must be.
        """
        member = self._members.get(f"data/{key}")
        if member is None or member.file_size != count:
            present = "none" if member is None else f"{member.file_size}"
            raise FormatError(
                f"{self.path.name} is damaged: its storage {key!r} should have {count} bytes, but "
                f"has {present}. Copy or download it again."
            )
        return bytearray(self._read(member))

    def _opened(self) -> ZipFile:
        try:
            return ZipFile(self.path)
        except FileNotFoundError:
            raise FormatError(f"There is no file {self.path}. Give the folder of a fold.") from None
        except (BadZipFile, NotImplementedError):
            message = (
                f"{self.path.name} is no zip archive of PyTorch: it is cut off, or was written by "
                "PyTorch before 1.6. Copy it again, or save it again with a newer PyTorch."
            )
        except OSError as error:
            message = f"Cannot read {self.path}: {error}"
        raise FormatError(message)

    def _checked_members(self) -> dict[str, ZipInfo]:
        """Return the members by their path inside of the archive's only folder."""
        infos = self._zip.infolist()
        total = sum(info.file_size for info in infos)
        if len(infos) > MOST_MEMBERS or total > self.path.stat().st_size:
            raise FormatError(
                f"{self.path.name} declares {len(infos):,} members of {total:,} bytes, more than "
                "the file can hold. It is no checkpoint of nnU-Net."
            )
        members = {info.filename.partition("/")[2]: info for info in infos}
        description = members.get(_DESCRIPTION)
        if description is None or description.file_size > LARGEST_DESCRIPTION:
            raise FormatError(
                f"{self.path.name} has no {_DESCRIPTION} of at most {LARGEST_DESCRIPTION:,} bytes: "
                "it is no checkpoint of nnU-Net."
            )
        order = members.get("byteorder")
        if order is not None and self._read(order) != b"little":
            raise FormatError(f"{self.path.name} was written in another byte order than little.")
        return members

    def _read(self, member: ZipInfo) -> bytes:
        if member.compress_type != ZIP_STORED or member.flag_bits & 1:
            raise FormatError(
                f"{member.filename} in {self.path.name} is compressed or encrypted, which PyTorch "
                "never writes. The file is refused."
            )
        try:
            return self._zip.read(member)
        except (BadZipFile, OSError, EOFError, ValueError) as error:
            raise FormatError(f"{self.path.name} is damaged: {error}") from None
