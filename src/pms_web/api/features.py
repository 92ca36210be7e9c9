"""``/api/v1/features``: which modules there are, and which of them the agency has."""

from __future__ import annotations

from typing import Annotated, TypedDict

from attrs import frozen
from flask import Response

from pms_web.routing import Route, answer
from pms_web.services import WebServices
from pms_web.wire import Entries, InstantText, Longest, Says
from pmscore.access.model.permissions import Permission
from pmscore.kernel.errors import InvalidInputError
from pmscore.modules.model import Feature, Manifest
from pmscore.modules.use_cases import SwitchFeatures, list_features, switch_features

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/features"


@frozen(kw_only=True)
class FeatureSwitch:
    """Whether the agency is to have a module."""

    module: Annotated[str, Longest(40), Says("The name of a module that runs here.")]
    enabled: bool


@frozen(kw_only=True)
class FeatureSwitches:
    """What to give and to take; modules that are not named stay as they are."""

    features: Annotated[tuple[FeatureSwitch, ...], Entries(100, 1)]

    def wanted(self) -> dict[str, bool]:
        """Return the switches by name.

        Raises:
            InvalidInputError: a module is named twice.
        """
        wanted = {each.module: each.enabled for each in self.features}
        if len(wanted) < len(self.features):
            raise InvalidInputError("features", "repeated")
        return wanted


class FeatureBody(TypedDict):
    """One module that runs here, and whether the agency has it."""

    module: str
    enabled: bool
    summary: str
    version: str
    health: str
    changed_at: InstantText | None


class FeaturesBody(TypedDict):
    """The modules that agencies have or not, by name."""

    features: list[FeatureBody]


def listed(services: WebServices) -> Response:
    """Return every module that runs here, and whether the agency has it."""
    manifests = services.installed.running
    found = services.retry(lambda: list_features(services.question, manifests, uow=services.uow))
    return answer(_body(services, found))


def put(services: WebServices, body: FeatureSwitches) -> Response:
    """Give modules to the agency, or take them away: all that is asked for, or nothing."""
    manifests = services.installed.running
    command = SwitchFeatures(**services.asking, wanted=body.wanted())
    found = services.retry(
        lambda: switch_features(command, manifests, uow=services.uow, clock=services.clock)
    )
    return answer(_body(services, found))


def _body(services: WebServices, found: tuple[Feature, ...]) -> FeaturesBody:
    manifests: dict[str, Manifest] = {each.name: each for each in services.installed.running}
    return {
        "features": [
            {
                "module": each.module,
                "enabled": each.is_enabled,
                "summary": manifests[each.module].summary,
                "version": manifests[each.module].version,
                "health": services.installed.health(each.module),
                "changed_at": None if each.changed_at is None else each.changed_at.isoformat(),
            }
            for each in found
        ]
    }


ROUTES = (
    Route(
        method="GET",
        path=ADDRESS,
        view=listed,
        permission=Permission.MANAGE_AGENCY,
        summary="List the modules of the agency",
        replies={200: FeaturesBody},
    ),
    Route(
        method="PUT",
        path=ADDRESS,
        view=put,
        permission=Permission.MANAGE_AGENCY,
        summary="Give modules to the agency, or take them away",
        body=FeatureSwitches,
        replies={200: FeaturesBody},
        example={"features": [{"module": "webhooks", "enabled": True}]},
    ),
)
