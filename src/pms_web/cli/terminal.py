"""How commands talk: results to standard output, everything else to standard error.

Owns progress bars (none without a terminal, none with ``--json``), and what a person sees when something goes
wrong: a sentence and a way out, never a trace of calls.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from pms_web.cli.explain import explained
from pmscore.kernel.errors import PmsError

__all__ = ["Politely", "complain", "progress_bar", "say", "show_json", "show_table", "steps"]

UNEXPECTED = 70


def say(text: str) -> None:
    """Tell the person at the terminal something that is no result."""
    click.echo(text, err=True)


def complain(sentence: str, way_out: str) -> None:
    """Say what went wrong and what to do."""
    click.secho(sentence, err=True, fg="red", bold=True)
    if way_out:
        click.echo(way_out, err=True)


def show_json(document: Mapping[str, object] | Sequence[object]) -> None:
    """Print a result for programs."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def show_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, texts: int = 1) -> None:
    """Print a table; its first ``texts`` columns are text, the others are aligned for numbers.

    Without headings all columns are text.
    """
    table = Table(show_header=any(headings), box=None, pad_edge=False)
    for at, heading in enumerate(headings):
        is_text = at < texts or not any(headings)
        table.add_column(heading, justify="left" if is_text else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


@contextmanager
def progress_bar(title: str, *, is_quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that is told how many of how many are done."""
    with _progress(is_quiet=is_quiet) as progress:
        task = progress.add_task(title, total=None)

        def tell(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield tell


@contextmanager
def steps(title: str, *, is_quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Yield a function that is told the name of each step as it begins."""
    with _progress(is_quiet=is_quiet, counts=False) as progress:
        task = progress.add_task(title, total=None)
        yield lambda name: progress.update(task, description=f"{title}: {name}")


def _progress(*, is_quiet: bool, counts: bool = True) -> Progress:
    console = Console(stderr=True)
    counted = (BarColumn(), MofNCompleteColumn()) if counts else ()
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        *counted,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=is_quiet or not console.is_terminal,
    )


class Politely(click.Group):
    """A group whose commands end with a sentence where others end with a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; an error of the tree ends it with 1, an unexpected one with 70."""
        try:
            return super().invoke(ctx)
        except PmsError as error:
            complain(*explained(error))
            ctx.exit(1)
        except KeyboardInterrupt:
            say("Stopped.")
            ctx.exit(130)
        except BrokenPipeError:
            # Whoever was reading has enough; a second complaint while closing would help nobody.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception:  # noqa: BLE001 - the last one to see it
            path = _write_trace()
            complain(
                "Something went wrong that pms did not expect; this is a fault in the program.",
                f"The details are in {path}. Please report them with what you did.",
            )
            ctx.exit(UNEXPECTED)


def _write_trace() -> Path:
    descriptor, name = tempfile.mkstemp(prefix="pms-error-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        traceback.print_exc(file=file)
    return Path(name)
