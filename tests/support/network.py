"""A guard: the tests reach nothing but this very machine."""

import socket
import sys
from ipaddress import ip_address
from typing import Any

attempts: list[str] = []
_on = False


class OutsideNetworkError(AssertionError):
    """A test tried to reach another machine, by address or by asking for a name."""


def forbid_outside_network() -> None:
    """From now on in this process, connecting elsewhere or resolving a foreign name raises OutsideNetworkError.

    An audit hook sees every library written in Python, however it imported `socket`; it cannot be taken away again.
    `attempts` remembers, because the code under test may swallow the error.
    """
    global _on
    if not _on:
        sys.addaudithook(_watch)
        _on = True


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        connection, address = arguments
        if connection.family == socket.AF_UNIX or not isinstance(address, tuple):
            return
        host = address[0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if not _is_this_machine(host):
        attempts.append(f"{event} {host!r}")
        raise OutsideNetworkError(f"{event} {host!r}: tests talk to loopback only")


def _is_this_machine(host: Any) -> bool:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    # Mail libraries ask for this machine's own name, to greet with it.
    if name in (None, "", "localhost", socket.gethostname()):
        return True
    try:
        return ip_address(str(name).split("%")[0]).is_loopback or str(name) in ("0.0.0.0", "::")
    except ValueError:
        return False
