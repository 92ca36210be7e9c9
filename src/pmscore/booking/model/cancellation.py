"""What a cancellation came to, as the booking keeps it.

Owns the record and its persisted form. Leaves how it is worked out to ``policies.cancelling``, and what has
been paid by then and is given back to the folio, which reads it from the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from attrs import frozen

from pmscore.kernel.errors import MisuseError
from pmscore.kernel.events import Json
from pmscore.pricing.model.settlement import CancellationCharge, Payer

__all__ = ["CancellationFee"]


@frozen(kw_only=True)
class CancellationFee:
    """What the terms asked for at the moment of a cancellation; amounts are minor units of the booking's currency.

    It is what the preview of that moment says with nothing ``captured``: all of the ``fee`` is ``receivable``
    from ``payer``, and nothing is there to ``refund``. What has been captured pays the fee first, the rest of
    it goes back. ``tax_code`` names how the fee is taxed.
    """

    at: datetime
    fee: int
    captured: int
    refund: int
    receivable: int
    payer: Payer
    tax_code: str = ""

    @classmethod
    def of(cls, charge: CancellationCharge, at: datetime) -> Self:
        """Return the record of a charge that was worked out for ``at``."""
        return cls(
            at=at,
            fee=charge.fee.minor,
            captured=charge.captured.minor,
            refund=charge.refund.minor,
            receivable=charge.receivable.minor,
            payer=charge.payer,
            tax_code=charge.spec.tax_code,
        )

    def to_json(self) -> dict[str, Json]:
        """Return the persisted form; :meth:`from_json` turns it back into an equal value."""
        return {
            "at": self.at.isoformat(),
            "fee": self.fee,
            "captured": self.captured,
            "refund": self.refund,
            "receivable": self.receivable,
            "payer": self.payer.value,
            "tax_code": self.tax_code,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Json]) -> Self:
        """Return the record that was persisted.

        Raises:
            MisuseError: it was not written by :meth:`to_json`.
        """
        match document:
            case {
                "at": str(at),
                "fee": int(fee),
                "captured": int(captured),
                "refund": int(refund),
                "receivable": int(receivable),
                "payer": str(payer),
                "tax_code": str(tax_code),
            }:
                return cls(
                    at=datetime.fromisoformat(at),
                    fee=fee,
                    captured=captured,
                    refund=refund,
                    receivable=receivable,
                    payer=Payer(payer),
                    tax_code=tax_code,
                )
            case _:
                raise MisuseError(cancellation="not_a_record")
