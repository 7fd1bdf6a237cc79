"""The menu of devices, which the worker process fills: this process never imports torch."""

from __future__ import annotations

from typing import Any

from psygnal import Signal
from qtpy.compat import isalive
from qtpy.QtWidgets import QComboBox

from napari_segment.widgets.forms.fields import narrow_combo
from napari_segment.widgets.jobs.job import Job, process


class DeviceMenu:
    """A field whose value is a device's name."""

    changed = Signal(object)

    def __init__(self, process_name: str) -> None:
        self.native = QComboBox()
        narrow_combo(self.native)
        self.native.addItem("automatic", "auto")
        self.native.addItem("CPU", "cpu")
        self.native.currentIndexChanged.connect(lambda _: self.changed.emit(self.value))
        self._job = Job("devices", lambda _folder: {})
        self._job.done.connect(self._fill)
        process(process_name).run(self._job)

    @property
    def value(self) -> str:
        return str(self.native.currentData())

    @value.setter
    def value(self, name: str) -> None:
        if self.native.findData(name) < 0:
            self.native.addItem(name, name)
        self.native.setCurrentIndex(self.native.findData(name))

    def _fill(self, result: dict[str, Any]) -> None:
        if not isalive(self.native):
            return
        for name, title in result["devices"]:
            index = self.native.findData(name)
            if index < 0:
                self.native.addItem(title, name)
            else:
                self.native.setItemText(index, title)
