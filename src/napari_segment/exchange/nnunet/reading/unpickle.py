"""Pickles of nnU-Net's checkpoints, interpreted without importing or calling anything they name.

A pickle is a small program. Here each of its operations is carried out on plain values; the few
names of libraries that nnU-Net's files hold stand for values of this module, and any other name
is refused. Neither Python's unpickler nor PyTorch's is used.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from napari_segment.errors import FormatError
from napari_segment.printable import one_line

MOST_OPERATIONS = 5_000_000
_LONGEST_INTEGER = 10**30


@dataclass(frozen=True)
class Storage:
    """The memory of one or several tensors, in the archive.

    Parameters
    ----------
    type : str
        Such as "FloatStorage".
    key : str
        Name of the member that holds it.
    count : int
        Number of values.
    """

    type: str
    key: str
    count: int


@dataclass(frozen=True)
class TensorRecord:
    """A tensor as a view of a storage: first value, sizes and strides, in values."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass(frozen=True)
class Unread:
    """A value of a library that is not needed, such as a NumPy scalar: only its name."""

    name: str


@dataclass(frozen=True)
class _Global:
    name: str


def read_pickle(data: bytes, source: str) -> Any:
    """Return the plain values of a pickle.

    Parameters
    ----------
    data : bytes
        The pickle, of any protocol.
    source : str
        Where it came from, for messages.

    Returns
    -------
    object
        Dictionaries, lists, tuples, text, numbers, None, `TensorRecord` and `Unread`.

    Raises
    ------
    FormatError
        If the pickle names anything but the tensors, containers and numbers of a checkpoint, or
        is damaged. Nothing of it was run.
    """
    machine = _Machine(source)
    try:
        for count, (operation, argument, _) in enumerate(pickletools.genops(data)):
            if count > MOST_OPERATIONS:
                machine.refuse(f"more than {MOST_OPERATIONS:,} values")
            machine.step(operation.name, argument)
        return machine.result()
    except FormatError:
        raise
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, EOFError) as error:
        raise FormatError(f"{source} is damaged: {one_line(str(error))}") from None


# ---- what the names of a checkpoint stand for ----


def _ordered_dict(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    if not arguments:
        return {}
    (pairs,) = arguments
    return {_key(key): value for key, value in pairs}


def _tensor(arguments: tuple[Any, ...]) -> TensorRecord:
    storage, offset, shape, stride, *_ = arguments
    if not isinstance(storage, Storage):
        raise TypeError("a tensor without a storage")
    sizes, steps = tuple(map(_count, shape)), tuple(map(_count, stride))
    if len(sizes) != len(steps):
        raise ValueError("a tensor has other strides than sizes")
    return TensorRecord(storage, _count(offset), sizes, steps)


def _parameter(arguments: tuple[Any, ...]) -> TensorRecord:
    if not isinstance(arguments[0], TensorRecord):
        raise TypeError("a parameter that is no tensor")
    return arguments[0]


def _encoded(arguments: tuple[Any, ...]) -> bytes:
    text, encoding = arguments
    if not isinstance(text, str) or encoding != "latin1":
        raise TypeError("bytes in another encoding than latin1")
    return text.encode("latin1")


def _dtype(arguments: tuple[Any, ...]) -> Unread:
    kind = arguments[0]
    if not isinstance(kind, str) or kind.lstrip("<>|=")[:1] not in tuple("bifuc?"):
        raise FormatError("NumPy values that are no numbers (object arrays)")
    return Unread("numpy.dtype")


def _unread(name: str) -> Callable[[tuple[Any, ...]], Unread]:
    return lambda _: Unread(name)


_KINDS = ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")
_CALLED: dict[str, Callable[[tuple[Any, ...]], Any]] = {
    "collections.OrderedDict": _ordered_dict,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "_codecs.encode": _encoded,
    "numpy.dtype": _dtype,
    "torch.device": _unread("torch.device"),
}
for _package in ("numpy.core", "numpy._core"):
    for _name in ("multiarray.scalar", "multiarray._reconstruct", "numeric._frombuffer"):
        _CALLED[f"{_package}.{_name}"] = _unread(f"{_package}.{_name}")
_NAMED = frozenset({"numpy.ndarray", *(f"torch.{kind}Storage" for kind in _KINDS)})


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**48:
        raise ValueError(f"a size or position of {str(value)[:40]}")
    return value


def _key(value: object) -> object:
    """Check a key of a dictionary: only plain ones, whose comparison is bounded."""
    if value is not None and not isinstance(value, str | int | float | bytes):
        raise TypeError(f"a dictionary with a {type(value).__name__} as key")
    return value


class _Machine:
    """The stack and the memory of a pickle's program."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.stack: list[Any] = []
        self.marks: list[int] = []  # where groups of values begin on the stack
        self.memory: dict[int, Any] = {}
        self.finished = False

    def refuse(self, what: str) -> NoReturn:
        raise FormatError(
            f"{self.source} holds {one_line(what)}, which no checkpoint of nnU-Net needs. It is "
            "refused, and nothing of it was run."
        )

    def result(self) -> Any:
        if not self.finished or len(self.stack) != 1:
            raise ValueError("its description ends early")
        return self.stack[0]

    def step(self, name: str, argument: object) -> None:
        """Carry out one operation."""
        if name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _LITERALS:
            self._literal(argument)
        elif name in _EMPTY:
            self.stack.append(_EMPTY[name]())
        elif name in _GETS:
            self.stack.append(self.memory[_count(argument)])
        elif name in _PUTS:
            self.memory[_count(argument)] = self.stack[-1]
        elif name in _OPERATIONS:
            _OPERATIONS[name](self, argument)
        elif name not in ("PROTO", "FRAME"):
            self.refuse(f"the operation {name} of pickle")

    def _literal(self, value: object) -> None:
        if isinstance(value, int) and abs(value) > _LONGEST_INTEGER:
            self.refuse("a number of more than 30 digits")
        self.stack.append(value)

    def _pop(self) -> Any:
        if self.marks and len(self.stack) <= self.marks[-1]:
            raise ValueError("a group of values ends early")
        return self.stack.pop()

    def _group(self) -> list[Any]:
        """Take the values above the last mark."""
        start = self.marks.pop()
        values = self.stack[start:]
        del self.stack[start:]
        return values

    # ---- operations, by their name in pickletools ----

    def op_stop(self, _: object) -> None:
        self.finished = True

    def op_memoize(self, _: object) -> None:
        self.memory[len(self.memory)] = self.stack[-1]

    def op_mark(self, _: object) -> None:
        self.marks.append(len(self.stack))

    def op_dup(self, _: object) -> None:
        self.stack.append(self.stack[-1])

    def op_tuple(self, _: object) -> None:
        self.stack.append(tuple(self._group()))

    def op_tuple1(self, _: object) -> None:
        self._tuple(1)

    def op_tuple2(self, _: object) -> None:
        self._tuple(2)

    def op_tuple3(self, _: object) -> None:
        self._tuple(3)

    def _tuple(self, count: int) -> None:
        values = tuple(self._pop() for _ in range(count))
        self.stack.append(values[::-1])

    def op_list(self, _: object) -> None:
        self.stack.append(self._group())

    def op_append(self, _: object) -> None:
        self._extend([self._pop()])

    def op_appends(self, _: object) -> None:
        self._extend(self._group())

    def _extend(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, list):
            raise TypeError("values are added to something that is no list")
        target.extend(values)

    def op_dict(self, _: object) -> None:
        values = self._group()
        self.stack.append({})
        self._update(values)

    def op_setitem(self, _: object) -> None:
        value, key = self._pop(), self._pop()
        self._update([key, value])

    def op_setitems(self, _: object) -> None:
        self._update(self._group())

    def _update(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict):
            raise TypeError("items are set on something that is no dictionary")
        target.update((_key(k), v) for k, v in zip(values[::2], values[1::2], strict=True))

    def op_global(self, argument: object) -> None:
        self._global(str(argument).replace(" ", ".", 1))

    def op_stack_global(self, _: object) -> None:
        name, module = self._pop(), self._pop()
        self._global(f"{module}.{name}")

    def _global(self, name: str) -> None:
        if name not in _CALLED and name not in _NAMED:
            self.refuse(f"{name!r}")
        self.stack.append(_Global(name))

    def op_reduce(self, _: object) -> None:
        arguments, called = self._pop(), self._pop()
        if not isinstance(called, _Global) or called.name not in _CALLED:
            self.refuse(f"a call of {getattr(called, 'name', type(called).__name__)!r}")
        if not isinstance(arguments, tuple):
            raise TypeError("a call without a tuple of arguments")
        try:
            self.stack.append(_CALLED[called.name](arguments))
        except FormatError as error:
            self.refuse(str(error))

    def op_build(self, _: object) -> None:
        """Leave out the state of a value: that of tensors and dictionaries is not needed."""
        self._pop()
        if not isinstance(self.stack[-1], Unread | TensorRecord | dict):
            self.refuse(f"a state for a {type(self.stack[-1]).__name__}")

    def op_binpersid(self, _: object) -> None:
        kind, type_, key, _device, count = self._pop()
        if kind != "storage" or not isinstance(type_, _Global) or not isinstance(key, str):
            raise TypeError("a reference to something that is no storage")
        self.stack.append(Storage(type_.name.removeprefix("torch."), key, _count(count)))


_OPERATIONS: dict[str, Callable[[_Machine, object], None]] = {
    name.removeprefix("op_").upper(): method
    for name, method in vars(_Machine).items()
    if name.startswith("op_")
}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, Callable[[], Any]] = {
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
}
_LITERALS = frozenset({
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES",
    "BINBYTES8",
})  # fmt: skip
_GETS = frozenset({"GET", "BINGET", "LONG_BINGET"})
_PUTS = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
