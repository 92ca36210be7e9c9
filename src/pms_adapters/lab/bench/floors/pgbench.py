"""Floor of P1, P2, P4, P6 and P10: whole transactions sent by pgbench, PostgreSQL's own client in C.

Owns the making of scripts and the reading of pgbench's report. What is to be sent comes in as plain text, so
that the floor runs the very statements that the product runs, with values that differ from one transaction to
the next.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["pipeline_script", "rate", "with_values"]

_RATE = re.compile(r"^tps = ([0-9.]+) \(without initial connection time\)", re.MULTILINE)
_FAILED = re.compile(r"^number of failed transactions: ([0-9]+)", re.MULTILINE)


def with_values(sql: str, values: Sequence[str], varying: Mapping[str, str]) -> str:
    """Return a statement with its values written into it.

    ``varying`` maps a text that occurs in the values to the SQL expression that takes its place, which may
    use pgbench's variables. Everything else is a constant.
    """

    def literal(match: re.Match[str]) -> str:
        return _spliced(values[int(match.group(1)) - 1], varying)

    return re.sub(r"\$(\d+)", literal, sql)


def pipeline_script(statements: Sequence[str], settings: Sequence[str] = ()) -> str:
    r"""Return a script whose statements are one implicit transaction in one round trip.

    ``settings`` are expressions for ``\set``, evaluated by the client before each transaction.
    """
    lines = [f"\\set {each}" for each in settings]
    lines.append("\\startpipeline")
    lines.extend(f"{statement};" for statement in statements)
    lines.append("\\endpipeline")
    return "\n".join(lines) + "\n"


def rate(
    program: Path,
    connection: Mapping[str, str],
    script: str,
    *,
    transactions: int,
    clients: int = 1,
    variables: Mapping[str, int] | None = None,
) -> float:
    """Return how many transactions a second ran, connecting left out; ``transactions`` is a client's number.

    ``connection`` holds libpq's environment variables.

    Raises:
        RuntimeError: pgbench failed, or a transaction did.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as file:
        file.write(script)
        file.flush()
        command = [str(program), "-n", "-M", "prepared", "-f", file.name]
        command += ["-c", str(clients), "-j", str(min(clients, 2)), "-t", str(transactions)]
        for name, value in (variables or {}).items():
            command += ["-D", f"{name}={value}"]
        answer = subprocess.run(
            command, env={**os.environ, **connection}, capture_output=True, text=True, check=False
        )
    found = _RATE.search(answer.stdout)
    failed = _FAILED.search(answer.stdout)
    if answer.returncode != 0 or found is None or (failed is not None and failed.group(1) != "0"):
        raise RuntimeError(f"pgbench: {answer.stdout[-400:]} {answer.stderr[-1500:]}")
    return float(found.group(1))


def _spliced(value: str, varying: Mapping[str, str]) -> str:
    """Return an SQL expression for a text in which some parts vary.

    A constant is cut after a colon before a letter, which pgbench would take for a variable even in quotes.
    """
    pattern = "|".join(re.escape(part) for part in sorted(varying, key=len, reverse=True))
    parts: list[str] = []
    for piece in re.split(f"({pattern})", value):
        if piece in varying:
            parts.append(varying[piece])
        else:
            parts.extend(_quoted(each) for each in re.split(r"(?<=:)(?=[A-Za-z_])", piece) if each)
    return parts[0] if len(parts) == 1 else f"concat({', '.join(parts)})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
