from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pms_adapters.http.guard import Guard, read_networks
from pmscore.kernel.errors import InvalidInputError

CLOSED = (
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.8", "192.0.2.7", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.9",
    "203.0.113.4", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
    "2002:7f00:1::", "2002:a00:1::1", "2001:0:7f00:1::1", "2001:0:808:808::80ff:fffe", "fe80::1", "fe80::1%1",
    "fc00::1", "fd12::1", "fec0::1", "ff02::1", "100::1", "2001:db8::1", "2001:2::1", "3fff::1", "5f00::1",
    "2606:4700::5efe:7f00:1",
)  # fmt: skip
OPEN = (
    "1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "11.0.0.1",
    "2606:4700:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1",
)  # fmt: skip


@pytest.mark.parametrize("address", CLOSED)
def test_an_address_that_is_not_public_is_closed(address: str):
    with pytest.raises(InvalidInputError) as caught:
        Guard().admit([address], host="example.com")
    assert caught.value.reason == "closed_address"
    assert address not in str(caught.value)


@pytest.mark.parametrize("address", OPEN)
def test_a_public_address_is_open(address: str):
    assert Guard().admit([address], host="example.com") == (address,)


@pytest.mark.parametrize("address", CLOSED)
def test_one_closed_address_among_open_ones_closes_the_name(address: str):
    with pytest.raises(InvalidInputError):
        Guard().admit([*OPEN, address], host="example.com")
    with pytest.raises(InvalidInputError):
        Guard().admit([address, *OPEN], host="example.com")


@given(st.ip_addresses(v=4))
def test_an_address_wrapped_in_another_is_open_only_if_it_is_open_itself(inner: IPv4Address):
    number = int(inner)
    wrapped = [
        IPv6Address((0xFFFF << 32) | number),
        IPv6Address((0x0064_FF9B << 96) | number),
        IPv6Address((0x2002 << 112) | (number << 80) | 1),
    ]
    is_open = _is_open(str(inner))
    assert [_is_open(str(each)) for each in wrapped] == [is_open] * 3


@given(st.ip_addresses())
def test_whatever_python_calls_inside_is_closed(address: IPv4Address | IPv6Address):
    inside = (
        address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified
        or (address.is_private and not address.is_global)
    )  # fmt: skip
    if inside and not _carries(address):
        assert not _is_open(str(address))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/", "not_https"),
        ("ftp://example.com/", "not_https"),
        ("file:///etc/passwd", "not_https"),
        ("example.com/hook", "not_https"),
        ("https:///hook", "not_https"),
        ("https://user@example.com/", "holds_a_user"),
        ("https://user:pass@example.com/", "holds_a_user"),
        ("https://example.com@evil.test/", "holds_a_user"),
        ("https://example.com:8443/", "closed_port"),
        ("https://example.com:22/", "closed_port"),
        ("https://127.0.0.1/", "closed_address"),
        ("https://[::1]/", "closed_address"),
        ("https://[::ffff:127.0.0.1]/", "closed_address"),
        ("https://169.254.169.254/latest/meta-data", "closed_address"),
        ("https://exa mple.com/", "not_a_url"),
        ("https://example.com\\@evil.test/", "not_a_url"),
        ("https://example.com/\r\nX: y", "not_a_url"),
        ("https://[::1", "not_a_url"),
        ("https://example.com:99999999/", "closed_port"),
        ("https://example.com/" + "a" * 2000, "too_long"),
        ("", "not_https"),
    ],
)
def test_an_address_that_could_mean_something_else_is_refused(url: str, reason: str):
    with pytest.raises(InvalidInputError) as caught:
        Guard().target(url)
    assert (caught.value.field, caught.value.reason) == ("url", reason)


@given(st.text(max_size=60))
def test_no_text_breaks_the_guard(text: str):
    for url in (text, f"https://{text}", f"https://{text}/", f"https://example.com{text}"):
        try:
            target = Guard().target(url)
        except InvalidInputError:
            continue
        assert target.scheme == "https"
        assert target.port == 443


def test_settings_open_ports_networks_and_plain_http():
    inside = Guard(networks=(ip_network("10.1.0.0/16"),))
    assert inside.target("http://10.1.2.3:9000/").port == 9000
    assert inside.admit(["10.1.2.3"], host="x") == ("10.1.2.3",)
    with pytest.raises(InvalidInputError):
        inside.admit(["10.2.0.1"], host="x")
    with pytest.raises(InvalidInputError):
        inside.target("http://example.com/")
    assert Guard(ports=frozenset({443, 8443})).target("https://example.com:8443/").port == 8443
    assert Guard(allows_plain_http=True).target("http://example.com/").port == 80


def test_networks_are_read_from_a_setting():
    assert read_networks("10.1.0.0/16, fd00::/8,", field="X") == (
        ip_network("10.1.0.0/16"),
        ip_network("fd00::/8"),
    )
    for text in ("10.1.0.1/16", "ten", "10.0.0.0/99"):
        with pytest.raises(InvalidInputError) as caught:
            read_networks(text, field="X")
        assert caught.value.field == "X"


def _is_open(address: str) -> bool:
    try:
        Guard().admit([address], host="x")
    except InvalidInputError:
        return False
    return True


def _carries(address: IPv4Address | IPv6Address) -> bool:
    return isinstance(address, IPv6Address) and (
        address.ipv4_mapped is not None
        or address in ip_network("64:ff9b::/96")
        # Inside only to some versions of Python, whatever it carries.
        or address.sixtofour is not None
    )
