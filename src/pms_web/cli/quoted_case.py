"""Cases worked out for ``pms quote --case``: the answer, its explanation, and what differs from the expectation.

Owns the reading of the file. Leaves the form of a case to ``pmscore.pricing.model.written`` and the drawing to
``quote_tree``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click
from attrs import frozen

from pms_web.bodies import parse_json
from pms_web.cli.explain import explained
from pms_web.cli.quote_tree import quote_tree, refusal_tree, show_trees
from pms_web.cli.terminal import complain
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

__all__ = ["QuotedCase", "quoted_case"]


@frozen(kw_only=True)
class QuotedCase:
    """A case with what came out: quotes and refusals, or the error that the request is refused with.

    ``differences`` are those from what the case expects, if it ``expects`` anything.
    """

    answer: Mapping[str, Json]
    case: PriceCase | None
    found: QuoteAnswer | None
    refused_with: DomainError | None
    expects: bool
    differences: tuple[Difference, ...]

    @property
    def is_good(self) -> bool:
        """Whether it came out as expected, or without an error where nothing is expected."""
        return not self.differences and (self.expects or self.refused_with is None)

    def to_json(self) -> dict[str, Json]:
        """Return the answer with an explanation of each quote, and the differences."""
        written = dict(self.answer)
        if self.case is not None and self.found is not None:
            case = self.case
            written["quotes"] = [
                {**quote_json(each, case), "explanation": explanation_json(_explained(each, case))}
                for each in self.found.quotes
            ]
            written["refusals"] = [refusal_json(each, case) for each in self.found.refusals]
        return {**written, "differences": [each.to_json() for each in self.differences]}

    def show(self) -> None:
        """Show the answer to a person, then what differs."""
        if self.refused_with is not None:
            complain(*explained(self.refused_with))
        if self.case is not None and self.found is not None:
            case, found = self.case, self.found
            show_trees(
                quote_tree(case.name_of(each.unit_type_id), _explained(each, case)) for each in found.quotes
            )
            show_trees(refusal_tree(case.name_of(each.unit_type_id), each) for each in found.refusals)
        for each in self.differences:
            said = f"{each.path}: expected {_said(each.expected)}, found {_said(each.found)}"
            click.secho(said, fg="red")
        if self.expects and not self.differences:
            click.secho("This is what the case expects.", fg="green")


def quoted_case(file: Path) -> QuotedCase:
    """Return what comes out of the case in a file.

    Raises:
        InvalidInputError: the file cannot be read or is no JSON object, or what it expects is written wrongly.
    """
    document = _read(file)
    answer = answer_case(document)
    case: PriceCase | None = None
    found: QuoteAnswer | None = None
    refused_with: DomainError | None = None
    try:
        case = case_from_json(document)
        found = quotes_for_case(case)
    except DomainError as error:
        refused_with = error
    return QuotedCase(
        answer=answer,
        case=case,
        found=found,
        refused_with=refused_with,
        expects="expect" in document,
        differences=differences(document, answer),
    )


def _read(file: Path) -> dict[str, Json]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidInputError(str(file), "not_readable") from error
    try:
        return parse_json(content, "application/json")
    except InvalidInputError as error:
        raise moved(error, str(file)) from error


def _explained(quote: Quote, case: PriceCase) -> Explanation:
    home = case.house.property
    return explain(quote, Whereabouts(home.zone, home.check_in_at))


def _said(value: Json) -> str:
    return "nothing" if value is None else str(value)
