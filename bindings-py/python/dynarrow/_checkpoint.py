"""How far an upload came, kept in a file, so that it can go on after it was stopped."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from dynarrow._aws import Table
from dynarrow._errors import StorageError, UsageError

# Seconds between two writings.
_SAVE = 0.25


class Checkpoint:
    """How far an upload came: a file that is replaced as a whole."""

    def __init__(self, path: Path, about: dict[str, Any], acknowledged: int) -> None:
        self.path = path
        self.about = about
        self.acknowledged = acknowledged
        self._written = time.monotonic()

    @staticmethod
    def open(
        path: Path, source: dict[str, Any], table: Table, endpoint_url: str | None
    ) -> Checkpoint:
        """The checkpoint that stands there, or a new one."""
        # Local tables all have the same account, and a table made anew is another.
        target = {
            "table_arn": table.arn,
            "table_id": table.id,
            "created": table.created.timestamp() if table.created is not None else None,
            "endpoint_url": endpoint_url,
        }
        about = {"dynarrow": "upload", "version": 1, "source": source, "table": target}
        try:
            text = path.read_text()
        except FileNotFoundError:
            made = Checkpoint(path, about, 0)
            made.save(complete=False)
            return made
        except (OSError, UnicodeDecodeError) as error:
            raise _storage(path, error) from error
        refuse = f"{path}: the checkpoint is of another"
        try:
            known: Any = json.loads(text)
            acknowledged = int(known["acknowledged"])
            same = {name: known[name] == about[name] for name in about}
            was: Any = known["source"]["name"], known["table"]["table_arn"]
        except (ValueError, KeyError, TypeError) as error:
            raise _checkpoint(f"{path}: this is no checkpoint of an upload") from error
        if not (same["dynarrow"] and same["version"]):
            raise _checkpoint(f"{path}: this is no checkpoint of this version")
        if not same["table"]:
            raise _checkpoint(f"{refuse} table ({was[1]}), or of one that was made anew since")
        # The digest tells; a copy elsewhere is the same source.
        if known["source"].get("digest") != source["digest"]:
            raise _checkpoint(
                f"{refuse} source ({was[0]}), of one that has changed since, or of other options"
            )
        return Checkpoint(path, about, acknowledged)

    def advance(self, acknowledged: int) -> None:
        self.acknowledged = acknowledged
        if time.monotonic() - self._written >= _SAVE:
            self.save(complete=False)

    def save(self, *, complete: bool) -> None:
        document = {**self.about, "acknowledged": self.acknowledged, "complete": complete}
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("w") as file:
                json.dump(document, file, indent=2)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise _storage(self.path, error) from error
        self._written = time.monotonic()


def _checkpoint(message: str) -> UsageError:
    return UsageError(f"E_CHECKPOINT: {message}", "E_CHECKPOINT", message)


def _storage(path: Path, error: Exception) -> StorageError:
    message = str(getattr(error, "strerror", None) or error)
    text = f"E_IO: {message} (file {path})"
    return StorageError(text, "E_IO", message, file=str(path))
