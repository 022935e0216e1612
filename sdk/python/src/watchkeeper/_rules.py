"""What a middleware was told: which requests it leaves out, which proxies it trusts, and who asked by whose word.

Arguments of the middleware, else those of `init`, else `WATCHKEEPER_*` of the environment. What makes no sense is a
warning and left out.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Iterable, MutableMapping
from typing import Any, Callable, Optional, Union

from ._addresses import Proxies
from ._clean import name as clean_name
from ._client import current_client
from ._log import logger
from ._settings import read_settings

#: A function of the scope (ASGI) or of the environ (WSGI), called when the request was answered.
Hook = Callable[[MutableMapping[str, Any]], Any]
#: The same, or the name of the header that has it.
KeyHook = Union[Hook, str]
#: A list, or a text with commas.
Names = Union[str, Iterable[str], None]

_KEY_DIGITS = 16
_MAX_KEY_BYTES = 64 << 10


class Rules:
    """The settings of one middleware, read and checked."""

    def __init__(
        self,
        exclude: Names,
        trusted_proxies: Names,
        proxy_header: Optional[str],
        user: Optional[Hook],
        api_key: Optional[KeyHook],
        api_key_secret: Union[str, bytes, None],
        log: Union[logging.Logger, str, None] = None,
    ) -> None:
        self.log = logging.getLogger(log) if isinstance(log, str) else log
        if self.log is not None and not isinstance(self.log, logging.Logger):
            logger.warning("requests are not logged: `log` is no logger and no name of one")
            self.log = None
        self.user = user if callable(user) else None
        if user is not None and self.user is None:
            logger.warning("the hook `user` is left out: it is no function")
        self.api_key_header = api_key.strip().lower() if isinstance(api_key, str) and api_key.strip() else None
        self.api_key_header_bytes = (self.api_key_header or "").encode("latin-1", "replace")
        self.api_key = api_key if callable(api_key) else None
        if api_key and not self.api_key_header and self.api_key is None:
            logger.warning("the hook `api_key` is left out: it is no function and no header")
        client = current_client()
        settings = client.settings if client is not None else read_settings({})
        self._secret = _bytes_of(settings.api_key_secret if api_key_secret is None else api_key_secret)
        paths = _names(settings.exclude_paths if exclude is None else exclude, "the paths to leave out")
        self._paths = frozenset(path for path in paths if not path.endswith("*"))
        self._prefixes = tuple(path[:-1] for path in paths if path.endswith("*"))
        self.proxies: Optional[Proxies] = None
        networks = settings.trusted_proxies if trusted_proxies is None else trusted_proxies
        try:
            header = str(proxy_header or settings.proxy_header or "x-forwarded-for")
            self.proxies = Proxies(_names(networks, "the trusted proxies"), header) or None
        except ValueError as error:
            logger.warning("no proxy is trusted: %s", error)

    def excludes(self, path: str) -> bool:
        """Whether requests of this path are none of ours."""
        return path in self._paths or (bool(self._prefixes) and path.startswith(self._prefixes))

    def hash_key(self, key: Any) -> Optional[str]:
        """What is told of an API key: the same for the same key, and no way back to it. Without a secret, whoever can
        guess keys can find out which it was."""
        if isinstance(key, str):
            key = key.encode("utf-8", "replace")
        if not isinstance(key, (bytes, bytearray)) or not key:
            return None
        data = bytes(key[:_MAX_KEY_BYTES])
        if self._secret:
            return hmac.new(self._secret, data, hashlib.sha256).hexdigest()[:_KEY_DIGITS]
        return hashlib.sha256(data).hexdigest()[:_KEY_DIGITS]

    def who(
        self, source: MutableMapping[str, Any], key_header: Optional[str]
    ) -> tuple[Optional[str], Optional[str], str]:
        """The user and the hashed key by the hooks, and what went wrong with those. `key_header` is what the header
        for keys said."""
        user, key, wrong = None, None, ""
        if self.user is not None:
            try:
                user = clean_name(self.user(source)) or None
            except Exception as error:
                wrong = f"the hook `user` failed: {type(error).__name__}"
        try:
            if self.api_key is not None:
                key = self.hash_key(self.api_key(source))
            elif key_header is not None:
                key = self.hash_key(_without_scheme(key_header, self.api_key_header))
        except Exception as error:
            wrong = f"the hook `api_key` failed: {type(error).__name__}"
        return user, key, wrong


def _without_scheme(value: str, header: Optional[str]) -> Optional[str]:
    """A key of `Authorization` is what follows `Bearer`."""
    if header != "authorization":
        return value
    scheme, _, rest = value.partition(" ")
    return rest.strip() if rest and scheme.lower() in ("bearer", "token", "apikey", "api-key") else None


def _bytes_of(secret: Any) -> bytes:
    if isinstance(secret, str):
        return secret.encode("utf-8", "replace")
    if isinstance(secret, bytes):
        return secret
    if secret is not None:
        logger.warning("the secret for API keys is left out: it is a text")
    return b""


def _names(value: Any, what: str) -> list[str]:
    try:
        parts = value.split(",") if isinstance(value, str) else list(value or ())
        return [part for part in (str(part).strip() for part in parts) if part]
    except Exception as error:
        logger.warning("%s are left out: %s", what, error)
        return []
