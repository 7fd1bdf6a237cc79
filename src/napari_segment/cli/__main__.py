"""``python -m napari_segment.cli``."""

import sys

from napari_segment.cli import main

sys.exit(main())
