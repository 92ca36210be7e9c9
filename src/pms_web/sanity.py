"""What the views know of the settings: which are there, and what is not as it should be; no value of any.

Owns the shape. Leaves the rules to whoever has the settings, and sentences to the view.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

__all__ = ["Sanity", "Warned"]


@frozen(kw_only=True)
class Warned:
    """One thing that is not as it should be with a setting; ``params`` are numbers and words of ours."""

    code: str
    setting: str
    params: Mapping[str, str | int] = field(factory=dict)


@frozen(kw_only=True)
class Sanity:
    """What was found: every setting by name, and whether it is set."""

    are_set: Mapping[str, bool] = field(factory=dict)
    warnings: tuple[Warned, ...] = ()
