"""``pms quote``: what a stay costs, why, and why not.

Owns the command. Leaves the form of a case to ``pmscore.pricing.model.written`` and the drawing to ``quote_tree``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click
from attrs import frozen

from pms_web.bodies import parse_json
from pms_web.cli.explain import explained
from pms_web.cli.quote_tree import quote_tree, refusal_tree, show_trees
from pms_web.cli.terminal import complain, show_json
from pmscore.kernel.errors import DomainError, InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.reading import moved
from pmscore.pricing.model.quote import Quote
from pmscore.pricing.model.written.cases import PriceCase, case_from_json
from pmscore.pricing.model.written.expectations import Difference, differences
from pmscore.pricing.use_cases.cases import answer_case, quotes_for_case
from pmscore.pricing.use_cases.quotes import QuoteAnswer
from pmscore.pricing.views.explaining import Explanation, Whereabouts, explain, explanation_json
from pmscore.pricing.views.written_quotes import quote_json, refusal_json

__all__ = ["quote"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--case", "file", type=_FILE, required=True, help="Work out the case in this file.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print lines, totals, refusals and explanations as JSON."
)
@click.pass_context
def quote(ctx: click.Context, file: Path, as_json: bool) -> None:
    """Price a stay, and show where every amount comes from.

    A case is one JSON document with a house, its prices, a request and, if you like, what ought to come out. Where it
    says that, the command names every difference and ends with 1. No database is needed.

    \b
    Example:
      pms quote --case tests/core/pricing/cases/stages_in_their_order.json
      pms quote --case stay.json --json
    """
    document = _read(file)
    worked_out = _worked_out(document)
    found = differences(document, worked_out.answer)
    if as_json:
        show_json({**worked_out.to_json(), "differences": [each.to_json() for each in found]})
    else:
        worked_out.show()
        _tell(found, is_expected="expect" in document)
    ctx.exit(1 if found or (worked_out.refused_with and "expect" not in document) else 0)


@frozen
class _WorkedOut:
    """A case with its quotes and refusals, or the error that the request is refused with."""

    answer: Mapping[str, Json]
    case: PriceCase | None = None
    quotes: QuoteAnswer | None = None
    refused_with: DomainError | None = None

    def to_json(self) -> dict[str, Json]:
        """Return the answer, with an explanation of each quote."""
        if self.case is None or self.quotes is None:
            return dict(self.answer)
        case = self.case
        return {
            "quotes": [
                {**quote_json(each, case), "explanation": explanation_json(_explained(each, case))}
                for each in self.quotes.quotes
            ],
            "refusals": [refusal_json(each, case) for each in self.quotes.refusals],
        }

    def show(self) -> None:
        """Show the answer to a person."""
        if self.refused_with is not None:
            complain(*explained(self.refused_with))
        if self.case is None or self.quotes is None:
            return
        case = self.case
        show_trees(
            quote_tree(case.name_of(each.unit_type_id), _explained(each, case)) for each in self.quotes.quotes
        )
        show_trees(refusal_tree(case.name_of(each.unit_type_id), each) for each in self.quotes.refusals)


def _read(file: Path) -> dict[str, Json]:
    """Return the document in a file.

    Raises:
        InvalidInputError: names the file; it cannot be read, or is not JSON.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidInputError(str(file), "not_readable") from error
    try:
        return parse_json(content, "application/json")
    except InvalidInputError as error:
        raise moved(error, str(file)) from error


def _worked_out(document: dict[str, Json]) -> _WorkedOut:
    answer = answer_case(document)
    try:
        case = case_from_json(document)
        return _WorkedOut(answer, case, quotes_for_case(case))
    except DomainError as error:
        return _WorkedOut(answer, refused_with=error)


def _explained(each: Quote, case: PriceCase) -> Explanation:
    home = case.house.property
    return explain(each, Whereabouts(home.zone, home.check_in_at))


def _tell(found: tuple[Difference, ...], *, is_expected: bool) -> None:
    if not is_expected:
        return
    if not found:
        click.secho("This is what the case expects.", fg="green")
    for each in found:
        click.secho(f"{each.path}: expected {_said(each.expected)}, found {_said(each.found)}", fg="red")


def _said(value: Json) -> str:
    return "nothing" if value is None else str(value)
