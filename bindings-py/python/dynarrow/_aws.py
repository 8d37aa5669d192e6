"""What all that talks to DynamoDB shares: a client, errors that say what is wrong, retries."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from dynarrow._errors import NotFoundError, ServiceError, UsageError

# Seconds between two attempts: at most the first doubled each time, and never more than the
# second, as AWS's SDKs do. A random part of it, so that many that were refused at once do not
# come back at once.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
_FIRST_DELAY = 0.05
_LONGEST_DELAY = 20.0

# Attempts that bring nothing, one after the other, before giving up: about a minute.
MAX_ATTEMPTS = 14
# The first call shows whether there is anybody at all: about a second.
FIRST_ATTEMPTS = 5

_THROTTLED = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
        "ReplicatedWriteConflictException",
    }
)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Stopped(Exception):
    """Other work has failed, or Ctrl-C: what this thread does is not wanted any more."""


@dataclass(frozen=True)
class Connection:
    """How DynamoDB is reached.

    Attributes:
        endpoint_url: The URL of another server than AWS's own.
        region_name: The region; the session's for None.
        profile_name: The profile of the AWS configuration; the session's for None.
        session: A ``boto3.Session``.
    """

    endpoint_url: str | None = None
    region_name: str | None = None
    profile_name: str | None = None
    session: Any = None

    def client(self, *, connections: int = 1, validates: bool = True) -> Any:
        """A low-level client for DynamoDB that leaves retries to `call`.

        Args:
            connections: Requests under way at a time.
            validates: Whether boto3 looks at what it is given, value by value.
        """
        try:
            boto3: Any = import_module("boto3")
        except ImportError as missing:
            message = "this needs boto3: pip install 'dynarrow[aws]'"
            raise ImportError(message, name="boto3") from missing
        botocore: Any = import_module("botocore.exceptions")
        config: Any = import_module("botocore.config").Config(
            max_pool_connections=max(connections, 1),
            parameter_validation=validates,
            retries={"total_max_attempts": 1, "mode": "standard"},
        )
        if self.session is not None and self.profile_name is not None:
            raise usage("a session has its profile: give session or profile_name, not both")
        try:
            session = self.session or boto3.Session(profile_name=self.profile_name)
            options: dict[str, Any] = {"config": config, "endpoint_url": self.endpoint_url}
            region = self.region_name or session.region_name
            if self._is_local():
                # DynamoDB Local and its like take any credentials, but boto3 sends nothing
                # without.
                region = region or "us-east-1"
                if session.get_credentials() is None:
                    options |= {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
            return session.client("dynamodb", region_name=region, **options)
        except (botocore.BotoCoreError, ValueError) as error:
            raise usage(str(error)) from error

    def _is_local(self) -> bool:
        return self.endpoint_url is not None and urlsplit(self.endpoint_url).hostname in _LOOPBACK


def usage(message: str) -> UsageError:
    return UsageError(f"E_USAGE: {message}", "E_USAGE", message)


def at_least_one(**numbers: int | None) -> None:
    """Refuses numbers below 1."""
    for name, number in numbers.items():
        if number is not None and number < 1:
            raise usage(f"{name} must be 1 or more, not {number}")


def call(
    function: Callable[..., dict[str, Any]],
    arguments: dict[str, Any],
    *,
    stop: threading.Event | None = None,
    attempts: int = MAX_ATTEMPTS,
    retried: Callable[[], object] | None = None,
) -> dict[str, Any]:
    """Calls the service; what may pass (throttling, its own errors, lost connections) is tried
    again.

    Args:
        function: A method of a client.
        arguments: Its keywords.
        stop: Ends the waiting.
        attempts: So many calls at most.
        retried: Called for each but the first.

    Raises:
        ServiceError: What the service says, or why it cannot be reached.
        NotFoundError: There is no such table.
        Stopped: ``stop`` was set.
    """
    exceptions: Any = import_module("botocore.exceptions")
    parsers: Any = import_module("botocore.parsers")
    stop = stop or threading.Event()
    attempt = 0
    while True:
        if stop.is_set():
            raise Stopped
        try:
            return function(**arguments)
        except exceptions.ParamValidationError as error:
            raise usage(" ".join(str(error).split())) from error
        except exceptions.ClientError as error:
            if not _may_pass(error.response) or attempt + 1 >= attempts:
                raise service_error(error.response, arguments) from error
        except (
            exceptions.HTTPClientError,
            exceptions.ConnectionError,
            parsers.ResponseParserError,
        ) as error:
            if attempt + 1 >= attempts:
                raise unreachable(error) from error
        except exceptions.BotoCoreError as error:
            raise unreachable(error) from error
        attempt += 1
        if retried is not None:
            retried()
        wait(attempt, stop)


def wait(attempt: int, stop: threading.Event) -> None:
    """Waits before the next attempt.

    Args:
        attempt: How many attempts have brought nothing.
        stop: Ends the waiting.
    """
    stop.wait(random.uniform(0, min(_LONGEST_DELAY, _FIRST_DELAY * 2**attempt)))


def _may_pass(response: dict[str, Any]) -> bool:
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or _code(response) in _THROTTLED


def _code(response: dict[str, Any]) -> str:
    return str(response.get("Error", {}).get("Code", ""))


def service_error(response: dict[str, Any], arguments: dict[str, Any]) -> Exception:
    """What the service answered, as an exception."""
    code = _code(response)
    said = str(response.get("Error", {}).get("Message", "")) or "no message"
    table = arguments.get("TableName")
    if table is None and len(arguments.get("RequestItems", ())) == 1:
        table = next(iter(arguments["RequestItems"]))
    if code in ("ResourceNotFoundException", "TableNotFoundException") and table is not None:
        message = f"there is no table {table} ({code}: {said})"
        return NotFoundError(f"E_NOT_FOUND: {message}", "E_NOT_FOUND", message, file=str(table))
    return failure(f"{code}: {said}", code, said)


def failure(message: str, code: str | None = None, said: str | None = None) -> ServiceError:
    """An error of the service."""
    text = message.replace("\0", "\\0")
    return ServiceError(f"E_AWS: {text}", "E_AWS", text, service_code=code, service_message=said)


def unreachable(error: Exception) -> ServiceError:
    """The service was not reached."""
    return failure(" ".join(str(error).split()), type(error).__name__, str(error))


@dataclass(frozen=True)
class Table:
    """What is to be known of a table.

    Attributes:
        given: Its name or ARN, as the caller gave it.
        name: Its name.
        arn: Its ARN.
        id: Its id.
        created: When it was made, where that is known.
        key: The attributes of the primary key with their types, the partition key first.
        index_keys: The attributes of the secondary indexes' keys: index, name and type.
        items: Items at the last count, which may be six hours ago.
        bytes: Their size, likewise.
    """

    given: str
    name: str
    arn: str
    id: str | None
    created: datetime | None
    key: dict[str, str]
    index_keys: list[tuple[str, str, str]]
    items: int
    bytes: int


def describe(client: Any, table_name: str, *, stop: threading.Event | None = None) -> Table:
    """Asks for a table, by name or ARN.

    Raises:
        NotFoundError: There is none.
        ServiceError: It is not ready, or the service cannot be reached.
    """
    arguments = {"TableName": table_name}
    answer = call(client.describe_table, arguments, stop=stop, attempts=FIRST_ATTEMPTS)
    table = answer["Table"]
    status = table.get("TableStatus", "ACTIVE")
    if status not in ("ACTIVE", "UPDATING"):
        raise failure(f"the table {table_name} is {status}")
    types = {
        definition["AttributeName"]: definition["AttributeType"]
        for definition in table["AttributeDefinitions"]
    }
    schema = sorted(table["KeySchema"], key=lambda element: element["KeyType"] != "HASH")
    key = {element["AttributeName"]: types[element["AttributeName"]] for element in schema}
    indexes = [
        *(table.get("GlobalSecondaryIndexes") or ()),
        *(table.get("LocalSecondaryIndexes") or ()),
    ]
    index_keys = [
        (index["IndexName"], element["AttributeName"], types[element["AttributeName"]])
        for index in indexes
        for element in index["KeySchema"]
        if element["AttributeName"] not in key
    ]
    return Table(
        given=table_name,
        name=table["TableName"],
        arn=table["TableArn"],
        id=table.get("TableId"),
        created=table.get("CreationDateTime"),
        key=key,
        index_keys=index_keys,
        items=table.get("ItemCount") or 0,
        bytes=table.get("TableSizeBytes") or 0,
    )
