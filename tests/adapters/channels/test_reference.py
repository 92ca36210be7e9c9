"""The page about gateways says what the manifests say."""

from __future__ import annotations

from pms_adapters.channels.channex import MANIFEST
from pms_adapters.channels.reference import reference_page


def test_the_page_names_limits_credentials_and_evidence_of_each_gateway():
    page = reference_page([MANIFEST])
    assert "| `channex` | airbnb, booking_com, channex, expedia, fewo_direkt, google |" in page
    assert "availability 10 in 60 s, 1 at once" in page
    assert "`api_key`, `webhook_secret` (may be left out)" in page
    assert all(each in page for each in MANIFEST.evidence)
    assert "| bookings | complete, not certified | fetched |" in page
