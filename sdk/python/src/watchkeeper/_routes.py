"""Which route matched, as the frameworks know it after the call. None of them is imported here."""

from __future__ import annotations

import sys
from collections.abc import Iterator, MutableMapping
from typing import Any, Optional

_MAX_DEPTH = 8


def asgi_route(scope: MutableMapping[str, Any], path: str) -> Optional[str]:
    """The template of Starlette's and FastAPI's route, with the paths of mounted applications before it."""
    if "route" in scope:
        route = scope["route"]
        template = _effective_path(scope, route)
        if template is None:
            return None
        if hasattr(route, "routes"):
            # A mounted application that has no route of its own for it: static files, a WSGI application.
            template = "/{path}"
        return _mounted_at(scope, template) + template or "/"
    if "router" in scope and "endpoint" in scope:
        return _searched(scope, path)
    if "django.core.handlers.asgi" in sys.modules and "router" not in scope:
        return _django_resolved(path[len(scope.get("root_path") or "") :])
    return None


def _effective_path(scope: MutableMapping[str, Any], route: Any) -> Optional[str]:
    path = getattr(route, "path", None)
    # Newer versions of FastAPI keep included routers as they are: the route alone lacks the routers' prefixes.
    own = scope.get("fastapi")
    if isinstance(own, dict):
        context = own.get("effective_route_context")
        if context is not None and getattr(context, "original_route", None) is route:
            path = getattr(context, "path", None) or path
    return path if isinstance(path, str) else None


def _mounted_at(scope: MutableMapping[str, Any], template: str) -> str:
    outside, inside = scope.get("app_root_path"), scope.get("root_path") or ""
    if not isinstance(outside, str) or not inside.startswith(outside):
        return ""
    prefix = str(inside[len(outside) :])
    # `Mount("/tenants/{tenant}")` leaves the values in the path, of which there may be any number.
    for name, value in (scope.get("path_params") or {}).items():
        if "{" + name + "}" not in template and "{" + name + ":" not in template:
            parts = prefix.split("/")
            text = str(value)
            if text in parts:
                parts[parts.index(text)] = "{" + name + "}"
                prefix = "/".join(parts)
    return prefix


def _searched(scope: MutableMapping[str, Any], path: str) -> Optional[str]:
    """Starlette before 1.0 says which endpoint was called, and not by which route."""
    params = {name: str(value) for name, value in (scope.get("path_params") or {}).items()}
    for template, form in _templates(scope["router"], scope["endpoint"], "", "", 0):
        try:
            if path.endswith(form.format(**params)):
                return template or "/"
        except (KeyError, IndexError, ValueError):
            continue
    return None


def _templates(router: Any, endpoint: Any, before: str, form_before: str, depth: int) -> Iterator[tuple[str, str]]:
    for route in getattr(router, "routes", None) or ():
        template = getattr(route, "path", "")
        form = getattr(route, "path_format", template)
        if getattr(route, "routes", None) is not None:
            form = form[: -len("/{path}")] if form.endswith("/{path}") else form
            if getattr(route, "app", None) is endpoint:
                yield before + template + "/{path}", form_before + form
            elif depth < _MAX_DEPTH:
                yield from _templates(route, endpoint, before + template, form_before + form, depth + 1)
        elif getattr(route, "endpoint", None) is endpoint:
            yield before + template, form_before + form


def flask_route(environ: MutableMapping[str, Any], script_name: str) -> Optional[str]:
    """The rule of Flask's request; `script_name` is the one that the request came with. Asked when the answer begins:
    Flask takes its request out of the environ before the server reads the body."""
    rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
    if rule is None:
        return None
    inside = environ.get("SCRIPT_NAME") or ""
    mounted = inside[len(script_name) :] if inside.startswith(script_name) else ""
    return str(mounted) + str(rule.rule)


def django_route(request: Any) -> Optional[str]:
    """The route of Django's request."""
    match = getattr(request, "resolver_match", None)
    return None if match is None else _of_django(match)


def django_request_of(body: Any) -> Any:
    """Django's request, which its response holds to close it. Asked before the response is closed. Of a file that is
    sent, the response is who closes it."""
    if not hasattr(body, "_resource_closers"):
        body = getattr(getattr(body, "close", None), "__self__", None)
    for closer in getattr(body, "_resource_closers", None) or ():
        request = getattr(closer, "__self__", None)
        if hasattr(request, "resolver_match"):
            return request
    return None


def _django_resolved(path: str) -> Optional[str]:
    try:
        return _of_django(sys.modules["django.urls"].resolve(path or "/"))
    except Exception:
        # No route matched, which Django says by an exception.
        return None


def _of_django(match: Any) -> Optional[str]:
    route = getattr(match, "route", None)
    return "/" + route.lstrip("^/") if isinstance(route, str) else None
