"""`python3 -m tests.months --seed 1 --size 10000 --month 2026-10 --out DIR`: write a month."""

import argparse
import json
import sys
import time
from collections.abc import Iterable
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tests.months import File, Month, Options, Shape

_LOOK = 20_000  # how many records between two looks at the clock


def main(argv: list[str] | None = None) -> int:
    """Write the events, the files and the answers of a month into a folder."""
    options, out = _arguments(argv)
    month = Month(options)
    begun = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    _records(
        out / "events.jsonl", ({"event": type(each).__name__, **each._asdict()} for each in month.events())
    )
    _files(out / "psp", month.psp_files())
    _files(out / "bank", month.bank_files())
    _records(
        out / "returns.jsonl",
        (each._asdict() | {"payout": each.payout._asdict()} for each in month.returns()),
    )
    _records(out / "prices.jsonl", (row._asdict() for row in month.price_table.rows))
    _records(out / "rates.jsonl", month.rates())
    _records(out / "answer_key.jsonl", _answers(month))
    _say(f"{out}: done in {time.monotonic() - begun:.1f} s\n")
    return 0


def _arguments(argv: list[str] | None) -> tuple[Options, Path]:
    parser = argparse.ArgumentParser(prog="python3 -m tests.months", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--size", type=int, required=True, help="payments captured in the month")
    parser.add_argument("--month", required=True, help="for instance 2026-10")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    parser.add_argument("--no-plants", dest="plants", action="store_false")
    parser.add_argument("--file-faults", action="store_true", help="a missing statement, and a wrong one")
    parser.add_argument("--bank-plants", action="store_true", help="differences that only the bank shows")
    for name, default in (
        ("profile", "stripe"), ("market", "eu"), ("currency", "EUR"), ("second-currency", "USD"),
        ("zone", "Europe/Amsterdam"), ("per", "day"), ("bank-format", "camt.053"), ("order", "natural"),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", default=default, help=f"{default} unless told")
    parser.add_argument("--payouts-per-day", type=int, help="a tenth of the payments, to 2,000, unless told")
    for name, count in (("sellers", 20_000), ("batch-of-payouts", 1_000)):
        parser.add_argument(f"--{name}", type=int, default=count, help=f"{count:,} unless told")
    flags = [each.name for each in fields(Shape) if each.name != "order"]
    for name in flags:
        parser.add_argument(f"--{name.replace('_', '-')}", action="store_true")
    given = vars(parser.parse_args(argv))
    out = given.pop("out")
    try:
        shape = Shape(order=given.pop("order"), **{name: given.pop(name) for name in flags})
        return Options(shape=shape, **given), out
    except ValueError as error:
        parser.error(str(error))


def _answers(month: Month) -> Iterable[dict[str, Any]]:
    given = {
        each.name: getattr(month.options, each.name) for each in fields(month.options) if each.name != "shape"
    }
    yield {"record": "month", **given, "counts": month.counts()}
    yield from ({"record": "day", **day} for day in month.days())
    yield from ({"record": "plant", **answer} for answer in month.answer_key())


def _files(folder: Path, files: Iterable[File]) -> None:
    folder.mkdir(exist_ok=True)
    count = size = 0
    for count, file in enumerate(files, 1):
        with (folder / file.name).open("wb") as out:
            file.write(out)
        size += (folder / file.name).stat().st_size
        _say(f"\r{folder}: {count} files, {size // 2**10:,} KiB")
    _say(f"\r{folder}: {count} files, {size // 2**10:,} KiB\n")


def _records(path: Path, records: Iterable[dict[str, Any]]) -> None:
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for count, record in enumerate(records, 1):
            out.write(json.dumps(_plain(record), ensure_ascii=False, separators=(",", ":")) + "\n")
            if not count % _LOOK:
                _say(f"\r{path}: {count:,}")
    _say(f"\r{path}: {count:,}\n")


def _plain(value: Any, name: str = "") -> Any:
    """Return what JSON can say: dates as text, and minor units too, so that no reader makes floats."""
    if isinstance(value, dict):
        return {key: _plain(each, "_minor" if name == "postings" else key) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if name.endswith("_minor") else value


def _say(text: str) -> None:
    """Tell how far it is: each line over the one before at a terminal, else only where a line ends."""
    if not sys.stderr.isatty():
        if not text.endswith("\n"):
            return
        text = text.lstrip("\r")
    sys.stderr.write(text)
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
