"""Steps as a progress bar on a terminal; what must not be missed as lines, everywhere."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from napari_segment.cli.terminal import terminal
from napari_segment.printable import printable
from napari_segment.step import Step

if TYPE_CHECKING:
    from tqdm import tqdm


def show(
    steps: Generator[Step, None, Any],
    title: str = "",
    stays: Callable[[Step], bool] = lambda step: False,  # noqa: ARG005
    each: Callable[[Step], None] = lambda step: None,  # noqa: ARG005
) -> Any:
    """Run long work to its end, with a bar on stderr if that is a terminal.

    Parameters
    ----------
    steps : generator of Step
        The work. It is closed when the user interrupts.
    title : str
        Stands before the bar.
    stays : callable
        Whether the message of a Step is printed as a line of its own, on stderr whatever that is.
    each : callable
        Is called with each Step, and may print.

    Returns
    -------
    object
        What the generator returned.
    """
    from tqdm import tqdm

    title, stream = printable(title), terminal()
    with tqdm(desc=title, disable=None, file=stream, leave=False, dynamic_ncols=True) as bar:
        try:
            while True:
                step = next(steps)
                if stays(step):
                    bar.write(printable(step.message), file=stream)
                with bar.external_write_mode(file=stream):
                    each(step)
                _draw(bar, step)
        except StopIteration as stop:
            return stop.value
        finally:
            steps.close()


def _draw(bar: tqdm[Any], step: Step) -> None:
    if bar.disable:
        return
    bar.total = step.total or None
    bar.n = step.done
    numbers = ", ".join(f"{name} {value:.4g}" for name, value in list(step.numbers.items())[:4])
    texts = (text for text in (step.message, numbers) if text)
    bar.set_postfix_str(printable("; ".join(texts)))
