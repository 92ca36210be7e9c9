"""The page about gateways says what the manifests say."""

from __future__ import annotations

from pms_adapters.channels.alpinebits import MANIFEST as ALPINEBITS
from pms_adapters.channels.booking_com import MANIFEST as BOOKING_COM
from pms_adapters.channels.channex import MANIFEST
from pms_adapters.channels.reference import reference_page


def test_the_page_names_limits_credentials_and_evidence_of_each_gateway():
    page = reference_page([MANIFEST])
    assert "| `channex` | airbnb, booking_com, channex, expedia, fewo_direkt, google |" in page
    assert "availability 10 in 60 s, 1 at once" in page
    assert "`api_key`, `webhook_secret` (may be left out)" in page
    assert all(each in page for each in MANIFEST.evidence)
    assert "| bookings | complete, not certified | fetched |" in page


def test_the_page_names_what_a_portal_is_not_told() -> None:
    page = reference_page([ALPINEBITS])
    assert "| `alpinebits` | alpinebits | complete, not certified |" in page
    assert "| availability | complete, not certified | sellable |" in page
    assert "| pricing |" not in page
    assert "prices (OTA_HotelRatePlanNotif) are not sent" in page
    assert "left to the platform's own settings: allowed_lengths, max_stay_arrival" in page


def test_the_page_names_settings_of_the_deployment_and_lanes_that_stand_elsewhere() -> None:
    page = reference_page([BOOKING_COM])
    assert "settings of the deployment: `BOOKING_COM_CLIENT_ID`, `BOOKING_COM_CLIENT_SECRET`" in page
    assert "| `booking_ota` | booking_com | needs a partner account |" in page
    assert "| availability | format only | sellable |" in page
    assert "| bookings | needs a partner account | fetched |" in page
