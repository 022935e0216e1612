"""What an application keeps account of: who did what, to what, and whether it was allowed."""

from __future__ import annotations

from typing import Any, Optional

from . import _context
from ._clean import clean, name, text
from ._client import current_client
from ._limits import let_through

_OUTCOMES = ("success", "failure", "denied")
_CATEGORIES = ("user_action", "system", "security")


def audit(
    action: str,
    *,
    outcome: str = "success",
    user_id: Any = None,
    target: Any = None,
    category: str = "user_action",
    message: Optional[str] = None,
    client_ip: Any = None,
    tenant: Any = None,
    document: Any = None,
    **attributes: Any,
) -> None:
    """Reports that somebody did something::

        wk.audit("document.delete", outcome="denied", user_id="ann", target="d-7", message="she may only read")

    `outcome` is `success`, `failure` or `denied`, `category` `user_action`, `system` or `security`; anything else is
    kept as an attribute, `given_outcome` or `given_category`. The job, the request and the trace are those
    that run here, unless `job_id`, `request_id` or `trace_id` are given. Other names are attributes.

    It is kept a year, apart from logs. It does nothing where Watchkeeper is not configured.
    """
    client = current_client()
    if client is None:
        return
    try:
        job = _context.current_job()
        given = dict(attributes)
        facts: dict[str, Any] = {
            "action": name(action) or "unnamed",
            "user_id": name(user_id),
            "target": name(target),
            "message": None if message is None else text(message),
            "client_ip": name(client_ip),
            "tenant": name(tenant),
            "document_id": name(given.pop("document_id", document)),
            "job_id": name(given.pop("job_id", None)) or (job.id if job is not None else None),
            "request_id": name(given.pop("request_id", None)) or _context.current_request_id(),
            "trace_id": name(given.pop("trace_id", None)) or _context.current_trace_id(),
        }
        for key, value, known in (("outcome", outcome, _OUTCOMES), ("category", category, _CATEGORIES)):
            if isinstance(value, str) and value in known:
                facts[key] = value
            else:
                # Not the default in its place: an outcome that nobody knows is no success.
                given["given_" + key] = value
        facts = {key: value for key, value in facts.items() if value is not None}
        if given:
            cleaned, has_changed = clean(given)
            facts["attributes"] = cleaned
            if has_changed:
                client.counts.clean()
        client.report("audit.recorded", facts)
    except Exception as fault:
        let_through(fault)
        client.counts.drop("internal_error")
