"""Serve jobs on standard input and output."""

from __future__ import annotations

from napari_segment.runtime import set_variables


def serve() -> None:
    """Serve until standard input ends."""
    set_variables()  # before NumPy and PyTorch are imported, which read them once
    from napari_segment.worker.process import main

    main()


if __name__ == "__main__":
    serve()
