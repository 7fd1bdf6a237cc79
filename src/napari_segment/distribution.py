"""The name under which the project is installed, and its version."""

from __future__ import annotations

DISTRIBUTION = "napari-segment"  # as in pyproject.toml and napari.yaml


def version() -> str:
    """Look up the version of the installed distribution."""
    from importlib import metadata

    return metadata.version(DISTRIBUTION)
