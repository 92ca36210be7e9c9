"""The currencies of ISO 4217 and the digits of their minor units.

Owns the table and the one instance a code; leaves amounts to ``money``, names and symbols to ``pms_web``.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError, MisuseError

__all__ = ["Currency"]

# ISO 4217 list one (codes without a minor unit, such as metals, are no money of a stay). Changes after
# June 2024 are in: XCG for ANG (2025), the euro for BGN (2026).
_ACTIVE_CODES: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
        CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
        GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA
        MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR
        RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD
        TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG""",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
# Withdrawn since 2010; they stand in old reservations only.
_RETIRED_CODES: Final = {0: "BYR", 2: "ANG BGN EEK HRK LTL LVL MRO SLL STD VEF ZMK ZWL"}
_DIGITS: Final = {
    code: digits
    for table in (_ACTIVE_CODES, _RETIRED_CODES)
    for digits, codes in table.items()
    for code in codes.split()
}
_ACTIVE: Final[dict[str, Currency]] = {}
_RETIRED: Final[dict[str, Currency]] = {}


@frozen(eq=False)
class Currency:
    """An ISO 4217 currency and the number of digits of its minor unit.

    There is one instance a code, so currencies are compared by identity. Get it with :meth:`of`.
    """

    code: str
    digits: int

    def __attrs_post_init__(self) -> None:
        if self.code in _ACTIVE or self.code in _RETIRED or self.digits != _DIGITS.get(self.code):
            raise MisuseError(currency=self.code, instead="Currency.of")

    @classmethod
    def of(cls, code: str) -> Currency:
        """Return the active currency with this code (three capitals).

        Raises:
            InvalidInputError: field ``currency``, reason ``unknown_currency``.
        """
        found = _ACTIVE.get(code)
        if found is None:
            raise _unknown(code)
        return found

    @classmethod
    def recorded(cls, code: str) -> Currency:
        """Return the currency of an old record, which may have been withdrawn since.

        Raises:
            InvalidInputError: field ``currency``, reason ``unknown_currency``.
        """
        found = _ACTIVE.get(code) or _RETIRED.get(code)
        if found is None:
            raise _unknown(code)
        return found

    @classmethod
    def active(cls) -> tuple[Currency, ...]:
        """Return every active currency in the order of the codes."""
        return tuple(_ACTIVE[code] for code in sorted(_ACTIVE))

    def __str__(self) -> str:
        return self.code

    def __reduce__(self) -> tuple[object, ...]:
        return Currency.recorded, (self.code,)


def _unknown(code: str) -> InvalidInputError:
    return InvalidInputError(
        "currency", "unknown_currency", value=code[:8].encode("ascii", "backslashreplace").decode("ascii")
    )


_ACTIVE.update(
    {code: Currency(code, digits) for digits, codes in _ACTIVE_CODES.items() for code in codes.split()}
)
_RETIRED.update(
    {code: Currency(code, digits) for digits, codes in _RETIRED_CODES.items() for code in codes.split()}
)
