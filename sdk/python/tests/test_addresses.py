"""Who asked, where proxies stand between, and where somebody lies."""

from __future__ import annotations

import pytest

from watchkeeper._addresses import Proxies

NETWORKS = ["10.0.0.0/8", "fd00::/8"]


@pytest.mark.parametrize(
    ("peer", "values", "address"),
    [
        ("9.9.9.9", ["1.1.1.1"], "9.9.9.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1"], "1.1.1.1"),
        ("10.0.0.1", ["6.6.6.6, 1.1.1.1, 10.2.2.2"], "1.1.1.1"),
        ("10.0.0.1", ["6.6.6.6", "1.1.1.1"], "1.1.1.1"),
        ("10.0.0.1", ["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
        ("10.0.0.1", ["6.6.6.6, nonsense, 10.2.2.2"], "10.2.2.2"),
        ("10.0.0.1", ["6.6.6.6, "], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1:4711"], "1.1.1.1"),
        ("::ffff:10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("fd00::1", ["2001:DB8:0::1"], "2001:db8::1"),
        ("10.0.0.1", ["9" * 100_000], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1," * 10_000 + "2.2.2.2"], "2.2.2.2"),
        (None, ["1.1.1.1"], None),
        ("not-an-address", ["1.1.1.1"], "not-an-address"),
    ],
)
def test_x_forwarded_for(peer, values, address):
    assert Proxies(NETWORKS).client_of(peer, values) == address


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("for=1.1.1.1;proto=https", "1.1.1.1"),
        ('for=6.6.6.6, For="[2001:db8::1]:4711"; by=10.0.0.1', "2001:db8::1"),
        ("for=6.6.6.6, for=_hidden", "10.0.0.1"),
        ("for=6.6.6.6, for=unknown, for=10.1.1.1", "10.1.1.1"),
        ("proto=https", "10.0.0.1"),
    ],
)
def test_forwarded(value, address):
    assert Proxies(NETWORKS, "Forwarded").client_of("10.0.0.1", [value]) == address


def test_a_socket_without_addresses_is_trusted_by_name():
    assert Proxies(["unix"]).client_of("", ["1.1.1.1"]) == "1.1.1.1"


@pytest.mark.parametrize(("networks", "header"), [(["nonsense"], "x-forwarded-for"), ([], "x-real-ip")])
def test_what_is_no_network_is_refused(networks, header):
    with pytest.raises(ValueError, match=r"network|Forwarded"):
        Proxies(networks, header)
