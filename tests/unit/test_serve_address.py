"""Where the server listens: `HOST` may be a name or an address, the server itself takes addresses only."""

import ipaddress

import pytest

from terristory.operations.serve import numeric


def test_a_name_becomes_an_address() -> None:
    assert ipaddress.ip_address(numeric("localhost")).is_loopback


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1", "::"])
def test_an_address_stays(address: str) -> None:
    assert numeric(address) == address
