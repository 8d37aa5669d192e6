"""Waiting for exports and imports of the service."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from dynarrow import _aws
from dynarrow._errors import StorageError
from dynarrow._progress import Progress, reporting

# Seconds of a sleep.
_TELL = 0.1


def check_waiting(poll: float, timeout: float | None, faults: list[str]) -> None:
    """Adds what is wrong with how long is waited."""
    if not poll > 0:
        faults.append(f"poll must be more than 0 seconds, not {poll:g}")
    if timeout is not None and not timeout >= 0:
        faults.append(f"timeout must be 0 seconds or more, not {timeout:g}")


def wait_for(
    ask: Callable[[], dict[str, Any]],
    what: str,
    answer: dict[str, Any],
    poll: float,
    timeout: float | None,
    progress: Progress,
) -> dict[str, Any]:
    """Asks until it is at an end.

    Args:
        ask: Asks how it goes.
        what: ``"Export"`` or ``"Import"``.
        answer: The answer to the request.
        poll: Seconds between two questions.
        timeout: Seconds to wait at most.
        progress: See `read_export`.

    Returns:
        The last answer.

    Raises:
        ServiceError: It failed, or was cancelled.
        StorageError: ``timeout`` has passed (``E_TIMEOUT``).
    """
    began = time.monotonic()
    with reporting(progress, what.lower()) as callback:
        while True:
            status = answer.get(f"{what}Status")
            if callback is not None:
                callback(*_progressed(answer))
            if status == "COMPLETED":
                return answer
            if status in ("FAILED", "CANCELLED"):
                raise _failed(what, answer)
            again = time.monotonic() + poll
            while (left := again - time.monotonic()) > 0:
                if timeout is not None and time.monotonic() - began > timeout:
                    arn = answer.get(f"{what}Arn")
                    message = f"the {what.lower()} {arn} is still {status} after {timeout:g} s"
                    raise StorageError(f"E_TIMEOUT: {message}", "E_TIMEOUT", message)
                # In short sleeps: Ctrl-C and a timeout do not wait for the next question.
                time.sleep(min(left, _TELL))
            answer = ask()


def _progressed(answer: dict[str, Any]) -> tuple[int, int, int]:
    size = answer.get("ProcessedSizeBytes") or answer.get("BilledSizeBytes") or 0
    items = answer.get("ImportedItemCount") or answer.get("ItemCount") or 0
    return size, 0, items


def _failed(what: str, answer: dict[str, Any]) -> Exception:
    status = str(answer.get(f"{what}Status")).lower()
    code, said = answer.get("FailureCode"), answer.get("FailureMessage")
    text = f"the {what.lower()} {answer.get(f'{what}Arn')} {status}"
    text = text.replace(" failed", " has failed").replace(" cancelled", " was cancelled")
    reasons = ": ".join(str(reason) for reason in (code, said) if reason)
    text += f": {reasons}" if reasons else ", without a reason"
    if what == "Import" and answer.get("ProcessedItemCount"):
        counts = [answer.get(f"{name}Count", 0) for name in ("ProcessedItem", "ImportedItem")]
        text += (
            f" (items: {counts[0]:,} processed, {counts[1]:,} imported,"
            f" {answer.get('ErrorCount', 0):,} errors)"
        )
    if answer.get("CloudWatchLogGroupArn"):
        text += f"; log group {answer['CloudWatchLogGroupArn']}"
    return _aws.failure(text, code or status.upper(), said)
