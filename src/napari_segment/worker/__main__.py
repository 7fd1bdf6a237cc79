"""Serve jobs on standard input and output."""

from __future__ import annotations

from napari_segment.worker.process import main

if __name__ == "__main__":
    main()
