"""The foot of a dock widget: Run, Cancel, how far the work is, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from time import perf_counter
from traceback import format_exc
from typing import TYPE_CHECKING, Any, NamedTuple

from napari.utils import cancelable_progress
from napari.utils.notifications import show_error, show_warning
from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_segment.errors import SegmentError
from napari_segment.step import Step
from napari_segment.widgets.forms.layout import narrow
from napari_segment.widgets.forms.train_labels import without_code
from napari_segment.widgets.jobs.job import Job, process, said

if TYPE_CHECKING:
    from qtpy.QtGui import QHideEvent

FINE = 1000  # parts of the bar
MOST_OFFERS = 2


class Offer(NamedTuple):
    """What a person is likely to want next.

    Parameters
    ----------
    text : str
        On the button.
    follow : callable
        What the button does.
    tip : str
        The button's tool tip.
    """

    text: str
    follow: Callable[[], None]
    tip: str = ""


class _Silent:
    """A terminal that shows nothing, for tqdm under napari's bar."""

    def write(self, _: str) -> None: ...

    def flush(self) -> None: ...


class Running(QWidget):
    """Runs one job at a time and shows it here and in napari's activity dock.

    Parameters
    ----------
    title : str
        The button's text.
    make : callable
        Makes the job when the button is pressed; a `SegmentError` that it raises is shown.
    done : callable
        Takes the job's result.
    process_name : str
        The process in which jobs run.
    """

    began = Signal()
    stepped = Signal(object)
    ended = Signal()

    def __init__(
        self,
        title: str,
        make: Callable[[], Job],
        done: Callable[[Any], None],
        process_name: str = "work",
    ) -> None:
        super().__init__()
        self.make, self.done = make, done
        self._done = done
        self.process = process(process_name)
        self.job: Job | None = None
        self._allowed = True
        self.button, self.cancel_button = QPushButton(title), QPushButton("Cancel")
        self.button.clicked.connect(self.start)
        self.cancel_button.clicked.connect(self.cancel)
        self.bar, self.message = QProgressBar(), QLabel()
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(8)
        self.message.setWordWrap(True)
        self.message.setTextFormat(Qt.TextFormat.PlainText)  # whatever layers are named
        self.suggestions = [QPushButton() for _ in range(MOST_OFFERS)]
        self._offers: tuple[Offer, ...] = ()
        offers = QHBoxLayout()
        for number, button in enumerate(self.suggestions):
            button.hide()
            button.clicked.connect(partial(self._follow, number))
            offers.addWidget(button, 1)
        self.buttons = QHBoxLayout()
        self.buttons.addWidget(self.button, 2)
        self.buttons.addWidget(self.cancel_button, 1)
        self.more_buttons = QHBoxLayout()  # of docks that have more than fit in one row
        narrow(self.button, self.cancel_button, *self.suggestions)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self.buttons)
        layout.addLayout(self.more_buttons)
        layout.addWidget(self.bar)
        layout.addWidget(self.message)
        layout.addLayout(offers)
        self._begun = perf_counter()
        self._napari_bar: Any = None
        self._show_idle("")
        self.process.start()

    def allow(self, allowed: bool, tip: str = "") -> None:
        """Let the button be pressed, or say in its tool tip why it cannot be."""
        self._allowed = allowed
        self.button.setToolTip(tip)
        self.button.setEnabled(allowed and self.job is None)

    def start(self) -> None:
        """Begin, unless a job is running."""
        self.begin(self.make, self.done)

    def begin(self, make: Callable[[], Job], done: Callable[[Any], None]) -> None:
        """Begin other work than the button's, unless a job is running.

        Parameters
        ----------
        make : callable
            Makes the job.
        done : callable
            Takes its result.
        """
        if self.job is not None:
            return
        try:
            job = make()
        except Exception as error:
            self._tell(error)
            return
        self._done = done
        self._begun = perf_counter()
        self.suggest()
        self.job = job
        job.stepped.connect(self._step)
        job.warned.connect(show_warning)
        job.done.connect(self._finished)
        job.failed.connect(self._failed)
        job.cancelled.connect(self._cancelled)
        self.button.setEnabled(False)
        self.cancel_button.setEnabled(True)
        self.bar.setRange(0, 0)
        self.bar.show()
        self.say(self._what_comes())
        self._napari_bar = cancelable_progress(
            total=0, desc=self.button.text(), cancel_callback=self.cancel, file=_Silent()
        )
        self.began.emit()
        self.process.run(job)

    def cancel(self) -> None:
        """Ask the running job to end."""
        if self.job is not None:
            self.cancel_button.setEnabled(False)
            self.say("Cancelling …")
            self.job.cancel()

    def _what_comes(self) -> str:
        if self.process.busy:
            return "Waiting until other work has ended …"
        return "Handing over the pixels …" if self.process.ready else "Starting the worker …"

    def say(self, text: str) -> None:
        """Show one line under the bar."""
        self.message.setText(text)
        self.message.setToolTip("")
        self.message.setVisible(bool(text))

    def conclude(self, text: str) -> None:
        """Show what came of the job, and how long it took."""
        seconds = perf_counter() - self._begun
        taken = f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.1f} min"
        self.say(f"{text}, {taken}." if text else f"Done, {taken}.")

    def suggest(self, *offers: Offer) -> None:
        """Offer what a person is likely to want next, a button each; without any, hide them."""
        self._offers = offers
        for button in self.suggestions[len(offers) :]:
            button.hide()
        for button, offer in zip(self.suggestions, offers, strict=False):
            button.setText(offer.text)
            button.setToolTip(offer.tip)
            button.show()

    def _follow(self, number: int, _: bool = False) -> None:
        offer = self._offers[number]
        self.suggest()
        offer.follow()

    def _step(self, step: Step) -> None:
        part = int(FINE * step.done / step.total) if step.total else 0
        self.bar.setRange(0, FINE if part else 0)
        self.bar.setValue(part)
        if step.message and self.cancel_button.isEnabled():
            self.say(step.message)
        bar = self._napari_bar
        if bar is not None and step.total:
            bar.total = step.total
            bar.update(step.done - bar.n)
        self.stepped.emit(step)

    def _finished(self, result: Any) -> None:
        self._show_idle("Done.")
        try:
            self._done(result)
        except Exception as error:
            self._tell(error)

    def _tell(self, error: Exception) -> None:
        self._failed(said(error), "" if isinstance(error, SegmentError) else format_exc())

    def _failed(self, text: str, trace: str) -> None:
        text = without_code(text)
        self._show_idle(text)
        self.message.setToolTip(f"<pre>{escape(trace)}</pre>" if trace else "")
        show_error(text)

    def _cancelled(self) -> None:
        self._show_idle("Cancelled.")

    def hideEvent(self, event: QHideEvent) -> None:
        """Look, once Qt has done what hides this, whether the dock widget was closed."""
        super().hideEvent(event)
        QTimer.singleShot(0, self._cancel_if_closed)

    def _cancel_if_closed(self) -> None:
        """End the job of a closed dock: napari takes its content out and lets it live on."""
        try:
            ancestor = self.parentWidget()
            while ancestor is not None and not isinstance(ancestor, QDockWidget):
                ancestor = ancestor.parentWidget()
        except RuntimeError:  # Qt's part of this object is gone
            ancestor = None
        if ancestor is None and self.job is not None:
            self.job.cancel()
            self._close_napari_bar()

    def _close_napari_bar(self) -> None:
        if self._napari_bar is not None:
            self._napari_bar.close()
            self._napari_bar = None

    def _show_idle(self, text: str) -> None:
        if self.job is not None:
            self.job = None
            self.ended.emit()
        self.button.setEnabled(self._allowed)
        self.cancel_button.setEnabled(False)
        self.bar.hide()
        self.say(text)
        self._close_napari_bar()
