"""Write the file names of the formats into napari's manifest."""

from importlib.resources import files
from pathlib import Path

from napari_segment.io import formats

MANIFEST = Path(str(files("napari_segment") / "napari.yaml"))


def main() -> None:
    """Replace the lists of patterns and suffixes, and leave the rest as it is."""
    patterns = ", ".join(f'"{p}"' for p in formats.reader_patterns())
    lines: list[str] = []
    for line in MANIFEST.read_text("utf-8").splitlines():
        start, key, _ = line.partition("filename_patterns: ")
        if key:
            line = f"{start}{key}[{patterns}]"  # noqa: PLW2901
        start, key, _ = line.partition("filename_extensions: ")
        content = "labels" if lines and "[labels]" in lines[-1] else "images"
        suffixes = ", ".join(formats.writer_extensions(content))
        lines.append(f"{start}{key}[{suffixes}]" if key else line)
    MANIFEST.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
