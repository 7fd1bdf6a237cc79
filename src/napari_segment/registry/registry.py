"""Registry: the entries of one kind, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeVar

from napari_segment.errors import PluginError, UnknownNameError
from napari_segment.recipe import Spec, SpecLike
from napari_segment.registry.entry import Entry
from napari_segment.registry.settings import check_signature

F = TypeVar("F", bound=Callable[..., Any])


class Registry(Mapping[str, Entry]):
    """The entries of one kind, by name.

    Parameters
    ----------
    kind : str
        Plural, as in the command line: "methods".
    singular : str
        For messages: "method".
    fill : callable, optional
        Called before anything is looked up: imports what registers entries.
    """

    def __init__(self, kind: str, singular: str, fill: Callable[[], None] = lambda: None) -> None:
        self.kind, self.singular, self._fill = kind, singular, fill
        self._entries: dict[str, Entry] = {}

    def add(
        self,
        name: str,
        *,
        title: str,
        gives: str = "",
        ndim: tuple[int, ...] = (2, 3),
        channels: Literal["one", "many"] = "one",
        pointwise: bool = False,
        whole: str = "",
        group: str = "",
    ) -> Callable[[F], F]:
        """Decorator: register a function, which is returned unchanged.

        Parameters
        ----------
        name, title : str
            The name in recipes and on the command line; the name in menus.
        gives, ndim, channels, pointwise, whole, group
            The further fields of `Entry`.

        Raises
        ------
        PluginError
            If the name is taken, or the signature is not that of an entry.
        """

        def register(function: F) -> F:
            entry = Entry(
                self.kind, name, title, function, gives, ndim, channels, pointwise, whole, group
            )
            self._refuse_second(entry)
            check_signature(self.kind, name, function)
            self._entries[name] = entry
            return function

        return register

    def make(self, spec: SpecLike) -> Any:
        """Call an entry that takes no data (a loss) with a Spec's settings."""
        spec = Spec.of(spec)
        return self[spec.name](**spec.settings)

    def complete(self, spec: SpecLike) -> Spec:
        """Check a Spec's name and settings, and fill in the defaults."""
        spec = Spec.of(spec)
        return self[spec.name].spec(spec.settings)

    def __getitem__(self, name: str) -> Entry:
        self._fill()
        try:
            return self._entries[name]
        except KeyError:
            raise UnknownNameError(self.singular, name, self._entries) from None

    def get(self, name: str, default: Any = None) -> Any:
        self._fill()
        return self._entries.get(name, default)

    def __contains__(self, name: object) -> bool:
        self._fill()
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        self._fill()
        return iter(self._entries)

    def __len__(self) -> int:
        self._fill()
        return len(self._entries)

    def __repr__(self) -> str:
        # pydantic takes it while a module is imported, when plug-ins must not be loaded.
        return f"<{self.kind}: {', '.join(self._entries)}>"

    def snapshot(self) -> dict[str, Entry]:
        """The entries so far, without loading plug-ins."""
        return dict(self._entries)

    def restore(self, entries: dict[str, Entry]) -> None:
        """Go back to a snapshot."""
        self._entries = dict(entries)

    def _refuse_second(self, entry: Entry) -> None:
        first = self._entries.get(entry.name)
        if first is None:
            return
        if (first.source, first.function.__qualname__) == (
            entry.source,
            entry.function.__qualname__,
        ):
            return  # a module loaded again, or a cell run again in a notebook
        raise PluginError(
            f"Two {self.kind} are named {entry.name!r}: one in {first.source}, one in "
            f"{entry.source}. Rename one of them."
        )
