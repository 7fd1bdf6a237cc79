"""Check the pairs of a data set before they are trained on: what is wrong, and what is unusual."""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from napari_segment.errors import SegmentError
from napari_segment.image import Image, Labels, orientation_of
from napari_segment.io.datasets.case import Case
from napari_segment.io.datasets.pairs import Pairs
from napari_segment.step import Step

Severity = Literal["error", "warning", "note"]
_ORDER: tuple[Severity, ...] = ("error", "warning", "note")
_RARE = 1e-4  # of the annotated voxels
_APART = 2.0  # times the median spacing
_SHOWN = 5  # cases in a sentence


@dataclass(frozen=True)
class Finding:
    """One thing that a check says.

    Parameters
    ----------
    kind : str
        What was checked, in one word or two.
    severity : {"error", "warning", "note"}
        Whether training fails or learns something wrong, may do so, or is only to know.
    message : str
        A sentence.
    cases : tuple of str
        The cases that it is about; none for the whole data set.
    """

    kind: str
    severity: Severity
    message: str
    cases: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self) | {"cases": list(self.cases)}


@dataclass(frozen=True)
class Facts:
    """What one case is like."""

    name: str
    part: str
    axes: str
    shape: tuple[int, ...]
    dtype: str
    spacing: tuple[float, ...]
    unit: str
    orientation: str
    channels: int
    digest: str
    low: float
    high: float
    finite: bool
    counts: Mapping[int, int] = field(default_factory=dict)


def check_pairs(pairs: Pairs) -> Generator[Step, None, list[Finding]]:
    """Read every case once, and say what is wrong with each and with all.

    Parameters
    ----------
    pairs : Pairs
        The data set.

    Yields
    ------
    Step
        After each case.

    Returns
    -------
    list of Finding
        Errors first.
    """
    facts: list[Facts] = []
    findings = [_noted(note) for note in pairs.notes]
    for done, case in enumerate(pairs, 1):
        more, known = _read(pairs, case)
        findings += more
        facts += [known] if known else []
        yield Step(done, len(pairs), case.name)
    for rule in _RULES:
        findings += rule(facts, pairs)
    findings += [Finding("label values", "note", text) for text in pairs.decisions]
    return sorted(findings, key=lambda finding: _ORDER.index(finding.severity))


def _noted(note: str) -> Finding:
    left_out = "left out" in note or "not there" in note
    return Finding("pairing", "error" if left_out else "note", note)


def _read(pairs: Pairs, case: Case) -> tuple[list[Finding], Facts | None]:
    """What is wrong with one case, and what it is like."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            image, labels = pairs.read(case)
        except SegmentError as error:
            return [Finding("reading", "error", f"{case.name}: {error}", (case.name,))], None
    said = dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, UserWarning))
    findings = [
        Finding("reading", "warning", f"{case.name}: {text}", (case.name,)) for text in said
    ]
    known = _facts(case, image.compute(), labels.compute())
    return [*findings, *_of_one(known, pairs)], known


def _facts(case: Case, image: Image, labels: Labels) -> Facts:
    pixels = np.asarray(image.data)
    finite = bool(np.isfinite(pixels).all()) if pixels.dtype.kind == "f" else True
    values, counts = np.unique(np.asarray(labels.data), return_counts=True)
    usable = pixels[np.isfinite(pixels)] if not finite else pixels
    digest = hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()
    return Facts(
        case.name, case.part, image.axes, image.shape, str(image.dtype),
        tuple(image.spacing), image.unit,
        "" if image.affine is None else orientation_of(image),
        image.size("C") if "C" in image.axes else 1, digest,
        float(usable.min()) if usable.size else np.nan,
        float(usable.max()) if usable.size else np.nan, finite,
        {int(v): int(n) for v, n in zip(values, counts, strict=True)},
    )  # fmt: skip


# ---- what one case shows ----


def _of_one(known: Facts, pairs: Pairs) -> Iterator[Finding]:
    one = (known.name,)
    if not known.finite:
        text = f"{known.name}: its image has values that are no numbers (NaN or infinite)."
        yield Finding("intensity", "error", text, one)
    if known.low == known.high:
        text = f"{known.name}: all voxels of its image are {known.low:g}."
        yield Finding("intensity", "error", text, one)
    annotated = {v: n for v, n in known.counts.items() if v >= 0 and v != pairs.ignore_index}
    if not annotated:
        yield Finding("labels", "error", f"{known.name}: no voxel is annotated.", one)
    elif set(annotated) == {0}:
        text = f"{known.name}: its labels are empty, all is background."
        yield Finding("labels", "warning", text, one)
    unknown = sorted(v for v in annotated if v and v not in pairs.names)
    if unknown and pairs.names and pairs.holds == "classes":
        text = (
            f"{known.name}: its labels have the values {_listed(unknown)}, which the data set does "
            f"not name; it names {_listed(sorted(pairs.names))}."
        )
        yield Finding("label values", "error", text, one)


# ---- what all cases show ----


def _alike(
    kind: str, what: str, severity: Severity, value: Callable[[Facts], Any]
) -> Callable[[Sequence[Facts], Pairs], Iterator[Finding]]:
    """A rule that names the cases which differ from most."""

    def rule(facts: Sequence[Facts], _: Pairs) -> Iterator[Finding]:
        counts = Counter(value(known) for known in facts)
        if len(counts) < 2:
            return
        usual = counts.most_common(1)[0][0]
        for other in [v for v in counts if v != usual]:
            names = tuple(known.name for known in facts if value(known) == other)
            yield Finding(
                kind, severity,
                f"{_cases(names)} {what} {other or 'none'}; most have {usual or 'none'}.", names,
            )  # fmt: skip

    return rule


def _spacing(facts: Sequence[Facts], _: Pairs) -> Iterator[Finding]:
    """Cases whose spacing is far from the median."""
    groups: dict[tuple[int, str], list[Facts]] = defaultdict(list)
    for known in facts:
        groups[len(known.spacing), known.unit].append(known)
    for group in groups.values():
        middle = np.median([known.spacing for known in group], axis=0)
        for known in group:
            ratio = np.asarray(known.spacing) / middle
            if max(ratio.max(), 1 / ratio.min()) >= _APART:
                step = " × ".join(f"{s:g}" for s in known.spacing)
                usual = " × ".join(f"{s:g}" for s in middle)
                text = (
                    f"{known.name} has the spacing {step} {known.unit}; the median is {usual}. "
                    "Check the unit and the header."
                )
                yield Finding("spacing", "warning", text, (known.name,))


def _duplicates(facts: Sequence[Facts], _: Pairs) -> Iterator[Finding]:
    groups: dict[str, list[Facts]] = defaultdict(list)
    for known in facts:
        groups[known.digest].append(known)
    for same in groups.values():
        names = tuple(known.name for known in same)
        parts = sorted({known.part for known in same} - {""})
        if len(parts) > 1:
            text = f"{_cases(names)} have the same pixels and lie in the parts {', '.join(parts)}."
            yield Finding("duplicates", "error", text, names)
        elif len(same) > 1:
            text = f"{_cases(names)} have the same pixels."
            yield Finding("duplicates", "warning", text, names)


def _balance(facts: Sequence[Facts], pairs: Pairs) -> Iterator[Finding]:
    """Classes that never or hardly occur, and how many voxels each has."""
    if pairs.holds == "objects":
        return
    totals: Counter[int] = Counter()
    for known in facts:
        totals.update({v: n for v, n in known.counts.items() if v >= 0 and v != pairs.ignore_index})
    voxels = sum(totals.values())
    for value in sorted({*pairs.names, *totals} - {0}):
        name = pairs.names.get(value, f"class {value}")
        share = totals[value] / voxels if voxels else 0.0
        if not totals[value]:
            text = f"The class {name!r} ({value}) occurs in no case."
            yield Finding("class balance", "warning", text)
        elif share < _RARE:
            text = f"The class {name!r} ({value}) takes {share:.2g} of the annotated voxels."
            yield Finding("class balance", "warning", text)
        else:
            text = f"The class {name!r} ({value}) takes {share:.1%} of the annotated voxels."
            yield Finding("class balance", "note", text)


def _range(facts: Sequence[Facts], _: Pairs) -> Iterator[Finding]:
    """Cases whose brightest voxel is far from that of most."""
    tops = np.array([abs(known.high) for known in facts if np.isfinite(known.high)])
    if len(tops) < 3 or not (middle := float(np.median(tops))):
        return
    for known in facts:
        top = abs(known.high)
        if np.isfinite(top) and (top > 100 * middle or 0 < top < middle / 100):
            text = (
                f"The values of {known.name} go up to {known.high:g}; the median of all cases is "
                f"{middle:g}. Check its scale."
            )
            yield Finding("intensity", "warning", text, (known.name,))


def _cases(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _listed(values: Sequence[int]) -> str:
    more = ", …" if len(values) > _SHOWN else ""
    return ", ".join(map(str, values[:_SHOWN])) + more


_RULES: tuple[Callable[[Sequence[Facts], Pairs], Iterator[Finding]], ...] = (
    _alike("axes", "have images with the axes", "error", lambda known: known.axes),
    _alike("channels", "have this many channels:", "error", lambda known: known.channels),
    _alike("types", "have values of type", "note", lambda known: known.dtype),
    _alike("unit", "have a spacing in", "warning", lambda known: known.unit),
    _alike("orientation", "are stored in the orientation", "note", lambda known: known.orientation),
    _spacing,
    _range,
    _duplicates,
    _balance,
)
