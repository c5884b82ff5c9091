"""Verify an export of the books, on any machine, with nothing but Python: `python3 verify_books.py FILE`.

    python3 verify_books.py export.jsonl --root roots.jsonl --json

Knows nothing of the product but docs/reference/seal.md. It hashes every entry, line, account and audit record
again, follows the chain of blocks from its first one, adds up every entry, replays all lines into balances and
compares these with the checkpoints, and looks for every daily root that you kept. Reads the file once, line by
line, whatever its size.

Exit code: 0 the export is whole and true; 1 it is not; 2 it cannot be read.
"""

import argparse
import hashlib
import json
import re
import sys
from collections import defaultdict

FORMAT = 1
GENESIS = "00" * 32
MOST_FINDINGS = 100
INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
HASH = re.compile(r"[0-9a-f]{64}")


class Unreadable(Exception):
    """The file is no export: exit code 2."""


def text(value):
    """A text with its length in octets in front; nothing is a tilde."""
    if value is None:
        return b"~"
    octets = value.encode()
    return b"%d:%s" % (len(octets), octets)


def token(value):
    """A number, date, time or id, which never holds a semicolon; nothing is a tilde."""
    if value is None:
        return b"~"
    if ";" in value:
        raise Unreadable(f"{value!r} holds a semicolon")
    return value.encode() + b";"


def number(row, name):
    """A whole number that the export writes as a string."""
    value = row[name]
    if not isinstance(value, str) or not INTEGER.fullmatch(value) or value == "-0":
        raise Unreadable(f"{name} is {value!r}, not a whole number in a string")
    return int(value)


def entry_hash(entry):
    """The hash of one entry with its lines."""
    parts = [b"entry 1;", token(entry["id"]), token(entry["merchant_id"])]
    parts += [text(entry[name]) for name in ("kind", "source", "source_ref", "leg")]
    parts += [token(entry[name]) for name in ("effective_date", "recorded_at", "line_count", "corrects")]
    parts += [token(entry[name]) for name in ("digest", "group_id", "group_size", "original_date")]
    parts.append(text(entry["facts"]))
    for line in entry["lines"]:
        parts += [token(line[name]) for name in ("id", "entry_id", "line_no", "merchant_id", "account_id")]
        parts += [token(line["amount_minor"]), text(line["currency"]), text(line["clearing_key"])]
    return hashlib.sha256(b"".join(parts)).digest()


def account_hash(account):
    """The hash of one account."""
    flags = [b"1;" if account[name] else b"0;" for name in ("guarded", "clearing")]
    parts = [b"account 1;", token(account["id"]), token(account["merchant_id"]), text(account["role"])]
    parts += [token(account["owner"]), text(account["provider"]), text(account["currency"]), *flags]
    return hashlib.sha256(b"".join(parts)).digest()


def record_hash(record):
    """The hash of one record of the audit trail."""
    parts = [b"audit record 1;", token(record["seq"]), token(record["merchant_id"])]
    parts += [text(record[name]) for name in ("actor", "action", "subject", "reason", "detail", "request_id")]
    return hashlib.sha256(b"".join([*parts, token(record["recorded_at"])])).digest()


class Chain:
    """The blocks of one chain in order: what a block says about itself and about the one before."""

    def __init__(self, name, fields, findings):
        self.name, self.fields, self.findings = name, fields, findings
        self.blocks, self.last, self.hash, self.sealed_at = 0, 0, GENESIS, ""
        self.leaves, self.ids, self.roots = [], [], {}

    def add(self, position, leaf):
        """One more member of the block that is being read."""
        previous = self.ids[-1] if self.ids else self.last
        if position <= previous:
            self.findings.append(f"{self.name} {position} comes after {previous}: out of order, or twice")
        self.ids.append(position)
        self.leaves.append(leaf)

    def close(self, block, further=(), counts=()):
        """The block that ends here; `further` leaves follow those of its members."""
        label = f"{self.name} block {block['number']}"
        for name in ("root", "previous", "hash"):
            if not isinstance(block[name], str) or not HASH.fullmatch(block[name]):
                raise Unreadable(f"{label}: {name} is no hash")
        root = hashlib.sha256(b"".join([*self.leaves, *further])).hexdigest()
        first, last = (self.ids[0], self.ids[-1]) if self.ids else (0, 0)
        said = f"{self.name} block 1;".encode() + b"".join(token(block[name]) for name in self.fields)
        expected = [
            ("number", number(block, "number"), self.blocks + 1),
            (self.fields[1], number(block, self.fields[1]), first),
            (self.fields[2], number(block, self.fields[2]), last),
            (self.fields[3], number(block, self.fields[3]), len(self.ids)),
            *((name, number(block, name), found) for name, found in counts),
            ("root", block["root"], root),
            ("previous", block["previous"], self.hash),
            ("hash", block["hash"], hashlib.sha256(said).hexdigest()),
        ]
        for name, stated, found in expected:
            if stated != found:
                self.findings.append(f"{label}: {name} is {stated}, the data give {found}")
        if block["sealed_at"] < self.sealed_at:
            self.findings.append(f"{label}: sealed before the block before it")
        self.blocks, self.last = number(block, "number"), number(block, self.fields[2])
        self.hash, self.sealed_at = block["hash"], block["sealed_at"]
        self.roots[self.blocks] = self.hash
        self.leaves, self.ids = [], []


class Books:
    """Everything that one pass over the export remembers."""

    def __init__(self):
        self.findings = []
        ends = ("root", "previous", "sealed_at")
        self.ledger = Chain(
            "ledger",
            ("number", "first_entry", "last_entry", "entry_count", "line_count", *ends),
            self.findings,
        )
        self.audit = Chain(
            "audit", ("number", "first_seq", "last_seq", "record_count", *ends), self.findings
        )
        self.accounts, self.hashes, self.marks = {}, {}, {}
        self.balances, self.marked = defaultdict(int), defaultdict(int)
        self.used, self.lines_in_block = set(), 0
        self.counts = {"account": 0, "checkpoint": 0, "entry": 0, "line": 0, "block": 0}
        self.counts |= {"audit_record": 0, "audit_block": 0}
        self.ended = False
        self._readers = {
            "account": self._account,
            "checkpoint": self._checkpoint,
            "entry": self._entry,
            "block": self._block,
            "audit_record": self._audit_record,
            "audit_block": self._audit_block,
            "end": self._end,
        }

    def read(self, row):
        """One row of the export, after its header."""
        if self.ended:
            self.findings.append("rows follow the end of the export")
        kind = row["type"]
        if kind not in self._readers:
            raise Unreadable(f"a row of the unknown type {kind!r}")
        self._readers[kind](row)
        if kind != "end":
            self.counts[kind] += 1

    def _account(self, row):
        key = number(row, "id")
        if key in self.accounts:
            self.findings.append(f"account {key} is there twice")
        self.accounts[key], self.hashes[key] = row, account_hash(row)

    def _checkpoint(self, row):
        self.marks[number(row, "account_id")] = (number(row, "entry_id"), number(row, "balance_minor"))

    def _entry(self, row):
        entry, sums = number(row, "id"), defaultdict(int)
        self.ledger.add(entry, entry_hash(row))
        numbers = [number(line, "line_no") for line in row["lines"]]
        if len(numbers) < 2 or numbers != list(range(1, number(row, "line_count") + 1)):
            self.findings.append(f"entry {entry}: has the lines {numbers}, announces {row['line_count']}")
        for line in row["lines"]:
            sums[line["currency"]] += self._line(entry, row, line)
        for currency, total in sums.items():
            if total:
                self.findings.append(f"entry {entry}: its lines in {currency} add up to {total}, not to zero")

    def _line(self, entry, row, line):
        key, amount = number(line, "account_id"), number(line, "amount_minor")
        account = self.accounts.get(key)
        label = f"entry {entry}, line {line['line_no']}"
        if account is None:
            self.findings.append(f"{label}: account {key} is not in the export")
        elif (account["merchant_id"], account["currency"]) != (line["merchant_id"], line["currency"]):
            self.findings.append(f"{label}: the account is of another merchant or currency")
        elif account["clearing"] != (line["clearing_key"] is not None):
            self.findings.append(f"{label}: a clearing key goes with a clearing account, and only there")
        if number(line, "id") != entry * 1024 + number(line, "line_no") or number(line, "entry_id") != entry:
            self.findings.append(f"{label}: does not carry the number of its entry")
        if line["merchant_id"] != row["merchant_id"] or amount == 0:
            self.findings.append(f"{label}: of another merchant than the entry, or of nothing")
        self.balances[key] += amount
        if key in self.marks and entry <= self.marks[key][0]:
            self.marked[key] += amount
        self.used.add(key)
        self.lines_in_block += 1
        self.counts["line"] += 1
        return amount

    def _block(self, row):
        leaves = [self.hashes[key] for key in sorted(self.used) if key in self.hashes]
        self.ledger.close(row, leaves, [("line_count", self.lines_in_block)])
        self.used, self.lines_in_block = set(), 0

    def _audit_record(self, row):
        self.audit.add(number(row, "seq"), record_hash(row))

    def _audit_block(self, row):
        self.audit.close(row)

    def _end(self, row):
        self.ended = True
        stated = {name: number(row, name) for name in self.counts}
        for name, count in self.counts.items():
            if stated[name] != count:
                self.findings.append(f"the end says {stated[name]} × {name}, the export holds {count}")

    def finish(self):
        """What can be said only when everything was read."""
        if not self.ended:
            self.findings.append("the export is cut off: it has no end")
        for chain in (self.ledger, self.audit):
            if chain.ids:
                self.findings.append(f"{len(chain.ids)} rows of the {chain.name} chain are in no block")
        for key, (_, balance) in sorted(self.marks.items()):
            if self.marked[key] != balance:
                self.findings.append(
                    f"account {key}: the checkpoint says {balance}, replaying gives {self.marked[key]}"
                )

    def extends(self, root):
        """Compare with a root that was kept earlier: the chain must still go through it."""
        chain = {"ledger": self.ledger, "audit": self.audit}.get(root["chain"])
        if chain is None:
            raise Unreadable(f"a root of the unknown chain {root['chain']!r}")
        found = chain.roots.get(int(root["block"]))
        if found != root["hash"]:
            self.findings.append(
                f"the root kept of {chain.name} block {root['block']} is {root['hash']},"
                f" the export has {found or 'no such block'}: it does not extend what was there"
            )

    def roots(self):
        """The newest root of each chain, to be kept for the next time."""
        return [
            {"chain": chain.name, "block": str(chain.blocks), "hash": chain.hash}
            for chain in (self.ledger, self.audit)
            if chain.blocks
        ]


def verify(lines, roots=()):
    """Verify the rows of an export, given as lines of text. Raises Unreadable."""
    books = Books()
    try:
        rows = (json.loads(line) for line in lines)
        head = next(rows, None)
        if not isinstance(head, dict) or head.get("type") != "books" or head.get("format") != FORMAT:
            raise Unreadable(f"the first line is no header of format {FORMAT}")
        for row in rows:
            books.read(row)
        books.finish()
        for root in roots:
            books.extends(root)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error
    return books


def main(arguments):
    """Verify the file of the command line and say what was found."""
    parser = argparse.ArgumentParser(description="Verify an export of the books.")
    parser.add_argument("export", help="the file that export_books wrote; - reads from the standard input")
    parser.add_argument("--root", action="append", default=[], help="a file of roots kept earlier, one a line")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    options = parser.parse_args(arguments)
    try:
        roots = []
        for name in options.root:
            with open(name, encoding="utf-8") as kept:
                roots += [json.loads(line) for line in kept if line.strip()]
        with open(0 if options.export == "-" else options.export, encoding="utf-8") as export:
            books = verify(export, roots)
    except (OSError, ValueError, Unreadable) as error:
        print(f"cannot be read: {error}", file=sys.stderr)
        return 2
    verdict = {
        "is_true": not books.findings,
        "findings": books.findings[:MOST_FINDINGS],
        "findings_total": len(books.findings),
        "counts": books.counts,
        "roots": books.roots(),
    }
    if options.json:
        print(json.dumps(verdict, indent=2))
    else:
        for finding in verdict["findings"]:
            print(finding)
        print(", ".join(f"{count} × {name}" for name, count in books.counts.items()))
        for root in verdict["roots"]:
            print(f"{root['chain']} block {root['block']}: {root['hash']}")
        print("true" if verdict["is_true"] else f"NOT TRUE: {len(books.findings)} findings")
    return 0 if verdict["is_true"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
