"""Who really asked, where proxies stand between.

A client may write whatever it likes into the headers that proxies use. So they are read from the right, where the
nearest proxy wrote, and only as far as each address is a proxy that the application trusts.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterable
from typing import Callable, Optional, Union

#: Trusts a peer without an address: a proxy that comes by a Unix socket.
UNIX = "unix"
_MAX_HEADER = 4_096
_MAX_HOPS = 32
_MAX_ADDRESS = 64

_Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


class Proxies:
    """The networks whose word is taken for who asked."""

    def __init__(self, networks: Iterable[str], header: str = "x-forwarded-for") -> None:
        """Raises ValueError where one is no network."""
        header = header.strip().lower()
        if header not in ("x-forwarded-for", "forwarded"):
            raise ValueError("the header of proxies is X-Forwarded-For or Forwarded")
        #: The one header that is read. With two, a client could use the one that the proxy does not write.
        self.header = header
        self.header_bytes = header.encode("ascii")
        self._trusts_unix = False
        self._networks: list[_Network] = []
        for text in networks:
            text = text.strip()
            if text.lower() == UNIX:
                self._trusts_unix = True
            elif text:
                self._networks.append(ipaddress.ip_network(text, strict=False))
        self._look: Callable[[str], Optional[tuple[str, bool]]] = functools.lru_cache(1_024)(self._read)

    def __bool__(self) -> bool:
        return self._trusts_unix or bool(self._networks)

    def client_of(self, peer: Optional[str], values: Iterable[str]) -> Optional[str]:
        """The address that asked: `peer` is who is connected, `values` are those of the header, in their order."""
        if peer:
            found = self._seen(peer)
            if found is None or not found[1]:
                return peer if found is None else found[0]
            address: Optional[str] = found[0]
        elif self._trusts_unix:
            address = None
        else:
            return None
        header = ",".join(values)[-_MAX_HEADER:]
        for hop in reversed(header.split(",")[-_MAX_HOPS:]):
            if self.header == "forwarded":
                hop = _for_of(hop)
            found = self._seen(hop)
            if found is None:
                # What cannot be read was not written by whom we trust, or hides itself: the last one known it is.
                break
            address = found[0]
            if not found[1]:
                break
        return address

    def _seen(self, text: str) -> Optional[tuple[str, bool]]:
        text = text.strip()
        return self._look(text) if 0 < len(text) <= _MAX_ADDRESS else None

    def _read(self, text: str) -> Optional[tuple[str, bool]]:
        """The address in its usual form, and whether it is a trusted proxy."""
        try:
            address = ipaddress.ip_address(_without_port(text))
        except ValueError:
            return None
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        trusted = any(address.version == network.version and address in network for network in self._networks)
        return str(address), trusted


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def _for_of(element: str) -> str:
    """The address of one element of `Forwarded` (RFC 7239). Quoted texts with commas are no addresses."""
    for pair in element.split(";"):
        name, _, value = pair.partition("=")
        if name.strip().lower() == "for":
            return value.strip().strip('"')
    return ""
