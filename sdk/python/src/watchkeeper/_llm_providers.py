"""Who answers at an address, as far as the address says."""

from __future__ import annotations

from typing import Any, Optional

_HOSTS = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "api.cohere.com": "cohere",
    "api.deepseek.com": "deepseek",
    "api.fireworks.ai": "fireworks",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral",
    "api.together.xyz": "together",
    "api.x.ai": "xai",
    "generativelanguage.googleapis.com": "google",
    "openrouter.ai": "openrouter",
}
_DOMAINS = {
    ".openai.com": "openai",
    ".openai.azure.com": "azure",
    ".cognitiveservices.azure.com": "azure",
    ".services.ai.azure.com": "azure",
    ".models.ai.azure.com": "azure",
    ".ollama.com": "ollama",
}
# What is run at home is known by its usual port, or by a host that is called so, as in a Compose file.
_PORTS = {11434: "ollama"}
_REMEMBERED = "_watchkeeper_address"
_NAMES = ("ollama", "vllm", "sglang", "llamacpp", "litellm")


def provider_of(host: str, port: Optional[int]) -> str:
    """The provider at a host; where it is not known, the host."""
    host = host.lower().rstrip(".")
    known = _HOSTS.get(host) or _PORTS.get(port or 0)
    if known is not None:
        return known
    for domain, name in _DOMAINS.items():
        if host.endswith(domain):
            return name
    for name in _NAMES:
        if name in host:
            return name
    return host or "unknown"


def known_address_of(owner: Any, url: Any) -> tuple[str, Optional[str]]:
    """The same for the address of a client, which is remembered with it: to take one apart takes as long as to report a
    call."""
    members = vars(owner)
    known = members.get(_REMEMBERED)
    if known is None or known[0] is not url:
        known = members[_REMEMBERED] = (url, address_of(url))
    address: tuple[str, Optional[str]] = known[1]
    return address


def address_of(url: Any) -> tuple[str, Optional[str]]:
    """The provider and the address, without path and user, of what `httpx` has for an URL."""
    host, port = str(url.host), url.port
    shown = f"[{host}]" if ":" in host else host
    return provider_of(host, port), f"{url.scheme}://{shown}" + (f":{port}" if port else "") if host else None
