"""Whether an agency has a module."""

from __future__ import annotations

from pms_web.services import WebServices
from pmscore.modules.model import Manifest
from pmscore.modules.policies import features_of

__all__ = ["is_entitled"]


def is_entitled(services: WebServices, manifest: Manifest) -> bool:
    """Return whether the agency of a request has the module."""

    def look() -> bool:
        with services.uow.begin(services.question) as work:
            (feature,) = features_of([manifest], work.features.all())
            return feature.is_enabled

    return services.retry(look)
