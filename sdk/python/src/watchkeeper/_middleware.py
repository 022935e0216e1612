"""What a middleware is made with: the same of ASGI and of WSGI."""

from __future__ import annotations

import logging
from typing import Any, Optional, Union

from ._framework_errors import watch_errors
from ._rules import Hook, KeyHook, Names, Rules


class Middleware:
    """An application around another one."""

    def __init__(
        self,
        app: Any,
        *,
        exclude: Names = None,
        trusted_proxies: Names = None,
        proxy_header: Optional[str] = None,
        user: Optional[Hook] = None,
        api_key: Optional[KeyHook] = None,
        api_key_secret: Union[str, bytes, None] = None,
        log: Union[logging.Logger, str, None] = None,
    ) -> None:
        self.app = app
        self._rules = Rules(exclude, trusted_proxies, proxy_header, user, api_key, api_key_secret, log)
        watch_errors()
