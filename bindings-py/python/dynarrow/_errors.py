"""The exceptions: one base, and Python's own classes beside it where people expect them."""

import errno
from functools import partial
from typing import Any


class DynarrowError(Exception):
    """Everything that dynarrow raises, except ``KeyboardInterrupt``.

    The text of the exception holds code, message and position.

    Attributes:
        code: What happened, ``E_…``: stable across versions and languages.
        message: What happened, in words, without code and position.
        file: The file, as the manifest or the caller names it.
        line: The line in the decompressed file, from 1.
        byte: The byte in the decompressed file, from 0.
        item: The item in its file, from 0, bad records counted.
        path: The attribute path, such as ``a.b[].c``.
    """

    code: str
    message: str
    file: str | None
    line: int | None
    byte: int | None
    item: int | None
    path: str | None

    def __init__(
        self,
        text: str,
        code: str,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        byte: int | None = None,
        item: int | None = None,
        path: str | None = None,
    ) -> None:
        super().__init__(text)
        self.code = code
        self.message = message
        self.file = file
        self.line = line
        self.byte = byte
        self.item = item
        self.path = path

    def __str__(self) -> str:
        # Said again here: OSError would say it in its own way.
        return str(self.args[0])

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions cross process borders, as in multiprocessing, with all they know.
        position = {
            "file": self.file,
            "line": self.line,
            "byte": self.byte,
            "item": self.item,
            "path": self.path,
        }
        return partial(type(self), **position), (self.args[0], self.code, self.message)


class UsageError(DynarrowError, ValueError):
    """A wrong argument, or inputs that do not go together."""


class StorageError(DynarrowError, OSError):
    """A source or destination that cannot be opened, read or written."""


class NotFoundError(StorageError, FileNotFoundError):
    """The source, or the folder of the destination, does not exist (``E_NOT_FOUND``)."""

    def __init__(self, text: str, code: str, message: str, **position: Any) -> None:
        super().__init__(text, code, message, **position)
        self.errno = errno.ENOENT
        self.filename = self.file


class ServiceError(StorageError):
    """AWS, or what answers in its place, refuses or cannot be reached (``E_AWS``).

    Attributes:
        service_code: The service's own name for it, such as ``AccessDeniedException``, or the
            ``FailureCode`` of an export or import.
        service_message: The service's own words.
    """

    service_code: str | None
    service_message: str | None

    def __init__(
        self,
        text: str,
        code: str,
        message: str,
        *,
        service_code: str | None = None,
        service_message: str | None = None,
        **position: Any,
    ) -> None:
        super().__init__(text, code, message, **position)
        self.service_code = service_code
        self.service_message = service_message

    def __reduce__(self) -> tuple[Any, ...]:
        make, arguments = super().__reduce__()
        said = {"service_code": self.service_code, "service_message": self.service_message}
        return partial(make, **said), arguments


class DataError(DynarrowError, ValueError):
    """Bad data: a broken file, a record that is no item, a count that is not the manifest's."""
