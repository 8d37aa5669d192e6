"""The verbs of the command that only the Python package has: they need boto3."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from dynarrow._dump import DumpReport, dump
from dynarrow._errors import DynarrowError, StorageError, UsageError
from dynarrow._upload import UploadReport, upload

VERBS = ("upload", "dump")

_USAGE, _STORAGE, _DATA, _INTERRUPTED = 2, 3, 4, 130

_EXAMPLES = {
    "upload": """\
Examples:
  dynarrow upload export Orders
  dynarrow upload export Orders --checkpoint orders.json     # again, if it was stopped: it goes on
  dynarrow upload orders.parquet Orders --endpoint-url http://localhost:8000
  dynarrow head -n 100 export | dynarrow upload - Orders --format ndjson --on-error skip""",
    "dump": """\
Examples:
  dynarrow dump Orders export/ && dynarrow verify export
  dynarrow dump Orders export/ --segments 16 --consistent-read
  dynarrow dump Orders export/ --endpoint-url http://localhost:8000 --export-format ion""",
}

_NOTES = """

Credentials, region and profiles are those of the AWS configuration; at an endpoint on this machine
none are needed.

Exit codes:
  0    done; what was skipped is said on standard error
  2    usage, and inputs that do not go together
  3    the table, SRC or DEST cannot be reached, read or written
  4    bad data
  130  Ctrl-C"""


def run(arguments: list[str]) -> int:
    """Runs a verb.

    Args:
        arguments: The verb and what follows.

    Returns:
        The exit code.
    """
    as_json = "--json" in arguments
    try:
        options = _parser(arguments[0]).parse_args(arguments[1:])
        if arguments[0] == "upload":
            report: UploadReport | DumpReport = _upload(options)
        else:
            report = _dump(options)
        if as_json:
            _print(json.dumps(asdict(report), indent=2, default=_plain))
    except KeyboardInterrupt:
        return _fail(_INTERRUPTED, "E_INTERRUPTED", "stopped", None, as_json)
    except DynarrowError as error:
        code = _USAGE if isinstance(error, UsageError) else _DATA
        code = _STORAGE if isinstance(error, StorageError) else code
        return _fail(code, error.code, error.message, error, as_json)
    except ImportError as error:
        return _fail(_USAGE, "E_USAGE", str(error), None, as_json)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _upload(options: argparse.Namespace) -> UploadReport:
    report = upload(
        options.src,
        options.table,
        endpoint_url=options.endpoint_url,
        region_name=options.region,
        profile_name=options.profile,
        concurrency=options.concurrency,
        checkpoint=options.checkpoint,
        columns=options.columns,
        schema=options.schema,
        layout=options.source_layout,
        threads=options.threads,
        on_error=options.on_error,
        check=options.check,
        format=options.format,
        progress=False if options.quiet else None,
    )
    if report.skipped:
        first = f"; first: {report.errors[0]}" if report.errors else ""
        _say(f"dynarrow: {_counted(report.skipped, 'record')} skipped{first}")
    if not options.quiet:
        more = [
            f"{report.resumed:,} written before" if report.resumed else "",
            f"{report.replaced:,} replaced by later ones" if report.replaced else "",
            f"{report.retries:,} retries" if report.retries else "",
        ]
        _say(
            f"{_counted(report.items, 'item')} -> {options.table} in {report.seconds:.2f} s"
            + "".join(f", {what}" for what in more if what)
        )
    return report


def _dump(options: argparse.Namespace) -> DumpReport:
    report = dump(
        options.table,
        options.dest,
        endpoint_url=options.endpoint_url,
        region_name=options.region,
        profile_name=options.profile,
        segments=options.segments,
        format=options.export_format,
        consistent_read=options.consistent_read,
        progress=False if options.quiet else None,
    )
    if not options.quiet:
        retries = f", {report.retries:,} retries" if report.retries else ""
        _say(
            f"{_counted(report.items, 'item')} -> {report.folder}"
            f" in {report.seconds:.2f} s{retries}"
        )
    return report


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"E_USAGE: {message}", "E_USAGE", f"{message}; see {self.prog} --help")


def _parser(verb: str) -> argparse.ArgumentParser:
    uploads = verb == "upload"
    parser = _Parser(
        prog=f"dynarrow {verb}",
        description="Write the items of SRC into a table that exists"
        if uploads
        else "Read a whole table, and write an export as AWS writes one",
        epilog=_EXAMPLES[verb] + _NOTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    if uploads:
        add("src", metavar="SRC", help="an export, a folder of data files, a data file, or -")
    add("table", metavar="TABLE", help="the table's name or ARN")
    if not uploads:
        add("dest", metavar="DEST", help="the folder that stands for the bucket: a new one")
    add("--endpoint-url", metavar="URL", help="another server than AWS's own: DynamoDB Local")
    add("--region", metavar="NAME", help="the region")
    add("--profile", metavar="NAME", help="the profile of the AWS configuration")
    if uploads:
        add("--concurrency", metavar="N", type=int, default=8, help="requests at a time [8]")
        add(
            "--checkpoint",
            metavar="FILE",
            type=Path,
            help="says how far the upload came; given again, it goes on from there",
        )
        add("--columns", metavar="NAMES", type=_names, help="only these: names with commas between")
        add(
            "--on-error",
            choices=("raise", "skip"),
            default="raise",
            help="bad records, and items that the table cannot take, end the upload [raise] or"
            " are passed over and counted",
        )
        formats = ("dynamodb_json", "ion", "legacy", "ndjson", "parquet", "arrow")
        add("--format", choices=formats, help="the format of the data files, if not told by them")
        add(
            "--check",
            choices=("count", "md5", "none"),
            default="count",
            help="what is checked against the manifest [count]",
        )
        add("--schema", metavar="FILE", help="says what the columns of Parquet or Arrow hold")
        add(
            "--source-layout",
            choices=("plain", "typed"),
            help="the layout of Parquet or Arrow that does not say it",
        )
        add("--threads", metavar="N", type=int, help="threads that read")
    else:
        add("--segments", metavar="N", type=int, help="parts that are read in parallel")
        add(
            "--export-format",
            choices=("dynamodb_json", "ion"),
            default="dynamodb_json",
            help="the format of the data files [dynamodb_json]",
        )
        add(
            "--consistent-read",
            action="store_true",
            help="each item as it is when it is read, for twice the capacity",
        )
    add("--quiet", action="store_true", help="say nothing but errors and what was skipped")
    add("--json", action="store_true", help="print the report, or the error, as JSON")
    return parser


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _counted(number: int, one: str) -> str:
    return f"{number:,} {one}" + ("" if number == 1 else "s")


def _plain(value: Any) -> Any:
    return _error(value) if isinstance(value, DynarrowError) else str(value)


def _error(error: DynarrowError) -> dict[str, Any]:
    members = ("code", "message", "file", "line", "byte", "item", "path")
    return {member: getattr(error, member) for member in members}


def _fail(code: int, name: str, message: str, error: DynarrowError | None, as_json: bool) -> int:
    _say(f"dynarrow: {error or f'{name}: {message}'}")
    if as_json:
        position = dict.fromkeys(("file", "line", "byte", "item", "path"))
        known = {"code": name, "message": message, **position} if error is None else _error(error)
        _print(json.dumps({"error": known}, indent=2))
    return code


def _print(text: str) -> None:
    print(text, flush=True)


def _say(text: str) -> None:
    # Where there is no standard error, nobody is to be told.
    if sys.stderr is not None:  # pyright: ignore[reportUnnecessaryComparison]
        print(text, file=sys.stderr, flush=True)
