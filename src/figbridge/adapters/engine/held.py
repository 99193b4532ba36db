"""A sequence of records that moves to a temporary file when it grows: one source transaction may not fit in memory."""

from __future__ import annotations

import pickle
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, overload

from figbridge.ports import Outgoing


class Held(Sequence[Outgoing]):
    """Hold records in order; above `limit` of them in a file without a name, in `folder`."""

    def __init__(self, limit: int, folder: Path) -> None:
        self._limit = limit
        self._folder = folder
        self._near: list[Outgoing] = []
        self._file: IO[bytes] | None = None
        self._places = array("Q")

    def append(self, record: Outgoing) -> None:
        """Add one record at the end."""
        self._near.append(record)
        if len(self._near) > self._limit:
            self._spill()

    def joined(self, other: Held) -> Held:
        """Return one sequence with the records of both, and close what is not needed any more."""
        if not len(self):
            self.close()
            return other
        for record in other:
            self.append(record)
        other.close()
        return self

    def close(self) -> None:
        """Release the file and the records."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._near = []
        self._places = array("Q")

    def _spill(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
        self._file.seek(0, 2)
        for record in self._near:
            self._places.append(self._file.tell())
            pickle.dump(tuple(record), self._file, pickle.HIGHEST_PROTOCOL)
        self._near = []

    def __len__(self) -> int:
        return len(self._places) + len(self._near)

    def __iter__(self) -> Iterator[Outgoing]:
        return (self._at(index) for index in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> Outgoing: ...
    @overload
    def __getitem__(self, index: slice) -> list[Outgoing]: ...
    def __getitem__(self, index: int | slice) -> Outgoing | list[Outgoing]:
        if isinstance(index, slice):
            return [self._at(i) for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return self._at(index % len(self))

    def _at(self, index: int) -> Outgoing:
        if index >= len(self._places):
            return self._near[index - len(self._places)]
        assert self._file is not None
        self._file.seek(self._places[index])
        fields: tuple[Any, ...] = pickle.load(self._file)  # noqa: S301  (our own file, without a name)
        return Outgoing(*fields)
