"""What an upload reads: any source, with the places of its items."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from dynarrow import _aws, _dynarrow
from dynarrow._errors import DataError
from dynarrow._open import Export
from dynarrow._options import Layout, SchemaLike, SourceFormat, StrPath
from dynarrow._progress import Callback
from dynarrow._schema import Schema
from dynarrow._wire import bad_item

# Seconds between two calls of the progress.
TELL = 0.1


@dataclass
class Source:
    """A source.

    Attributes:
        name: Its name in messages.
        native: The source, where the core reads it.
        given: The items, where they are Python values.
        folder: Where its files stand, if they do.
        skipped: Values of ``given`` that are no items and were passed over.
    """

    name: str
    native: _dynarrow.Export | None
    given: Iterable[Mapping[str, Any]] | None
    folder: Path | None
    skipped: int = 0

    @staticmethod
    def of(src: object, format: SourceFormat | None) -> Source:
        if isinstance(src, (str, os.PathLike)):
            path = cast(StrPath, src)
            native = _dynarrow.open_export(path, format)
            folder = None if str(path) == "-" else Path(path)
            return Source(native.name, native, None, folder)
        if format is not None:
            raise _aws.usage("format is for paths")
        if isinstance(src, Export):
            # Standard input has a name, but no place.
            folder = Path(src.name) if os.path.exists(src.name) else None
            return Source(src.name, src.native, None, folder)
        if hasattr(src, "__arrow_c_stream__"):
            return Source("data", _dynarrow.open_stream(src), None, None)
        if isinstance(src, Iterable) and not isinstance(src, (bytes, Mapping)):
            return Source("data", None, cast("Iterable[Mapping[str, Any]]", src), None)
        name = type(cast(object, src)).__name__
        raise _aws.usage(
            f"src must be a path, an Export, have __arrow_c_stream__ or be an iterable of dicts,"
            f" not {name}"
        )

    def items(self, options: Any) -> Iterator[dict[str, Any]]:
        if self.native is not None:
            return self.native.iter_items(options)
        return self._given(options)

    def _given(self, options: Any) -> Iterator[dict[str, Any]]:
        columns = options["columns"]
        for index, item in enumerate(self.given or ()):
            # By way of the core, which knows what is a value.
            try:
                plain = _dynarrow.loads(_dynarrow.dumps(item, None).encode(), None)
            except DataError as error:
                if options["on_error"] == "skip":
                    self.skipped += 1
                    continue
                message = error.message
                raise bad_item(error.code, message, error.file, index, error.path) from error
            yield {n: plain[n] for n in plain if n in columns} if columns is not None else plain

    @cached_property
    def files(self) -> list[_dynarrow.DataFile]:
        # The files of a stream are none of the disk.
        return self.native.files if self.native is not None and self.folder is not None else []

    @cached_property
    def counts(self) -> list[tuple[str, int, int]] | None:
        """Name, bytes and items of each file; None where they are not known beforehand."""
        counts = [(file.name, file.size, file.item_count) for file in self.files]
        known = [(name, size or 0, items) for name, size, items in counts if items is not None]
        return known if known and len(known) == len(counts) else None

    def place(self, index: int, skipped: int) -> tuple[str | None, int | None]:
        """The file of the item with this number among those read, and its place in it."""
        if self.native is None:
            return None, index + skipped
        if skipped:
            return self.name, None
        counts = self.counts
        for name, _, items in counts or ():
            if index < items:
                return name, index
            index -= items
        files = self.files
        if counts is None and len(files) == 1:
            return files[0].name, index
        return self.name, index if counts is None and len(files) < 2 else None

    def fingerprint(
        self,
        columns: Sequence[str] | None,
        schema: SchemaLike | None,
        layout: Layout | None,
        format: SourceFormat | None,
    ) -> dict[str, Any]:
        """What tells this source from another, or from what it was before."""
        files = self.files
        if self.folder is None or not files:
            raise _aws.usage("a checkpoint needs a source that can be read again: files")
        described: list[Any] = [list(columns) if columns is not None else None, layout, format]
        described.append(_schema_text(schema))
        for file in files:
            # By the manifest the export is the same wherever it stands. Without one the time of
            # the last change says whether a file is.
            known = file.etag or file.md5
            place = file.name if known else file.key or file.name
            described.append([place, file.size, known or self._changed(file)])
        return {
            "name": self.name,
            "files": len(files),
            "bytes": sum(file.size or 0 for file in files),
            "digest": hashlib.md5(json.dumps(described).encode()).hexdigest(),
        }

    def _changed(self, file: _dynarrow.DataFile) -> int | None:
        assert self.folder is not None
        for path in (self.folder / (file.key or file.name), Path(file.name), self.folder):
            if path.is_file():
                return path.stat().st_mtime_ns
        return None


def _schema_text(schema: SchemaLike | None) -> str | None:
    if isinstance(schema, (str, os.PathLike)):
        return Path(schema).read_text()
    if isinstance(schema, Schema):
        return schema.to_json()
    return json.dumps(schema, sort_keys=True)


class Meter:
    """Tells how far the upload came."""

    def __init__(self, source: Source, callback: Callback | None) -> None:
        self.callback = callback
        self.counts = source.counts if callback is not None else None
        self.total = sum(size for _, size, _ in self.counts or ())
        self.sent = 0
        self._told = 0.0
        self._highest = (0, 0)

    def tell(self, items: int, *, now: bool = False) -> None:
        at = time.monotonic()
        if self.callback is None or (at - self._told < TELL and not now):
            return
        self._told = at
        # Never back: what is under way counts from another end.
        done, items = max(self._highest, (self._bytes(items), items))
        self._highest = (done, items)
        self.callback(done, self.total, items)

    def finish(self, items: int) -> None:
        self._highest = (0, 0)
        self.tell(items, now=True)

    def _bytes(self, items: int) -> int:
        if self.counts is None:
            return self.sent
        done = 0
        for _, size, count in self.counts:
            if items < count:
                return done + size * items // count
            done += size
            items -= count
        return done
