"""Settings: arguments of `init`, else `WATCHKEEPER_*` of the environment, else defaults.

A value that makes no sense is a warning and the default: monitoring never keeps an application from starting.
"""

from __future__ import annotations

import dataclasses
import math
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable, Optional
from urllib.parse import urlsplit

from ._log import logger

_MIB = 1 << 20


@dataclass(frozen=True)
class Settings:
    """All settings, read and checked. Durations are seconds, sizes are bytes."""

    #: Where Watchkeeper is, as `http://127.0.0.1:7654`. Without it the package does nothing.
    url: Optional[str] = None
    #: An API key with the scope `ingest`. On the server's own machine none is needed.
    key: Optional[str] = None
    #: The application that reports.
    service: Optional[str] = None
    #: This worker; by default `HOST-PID`. A forked child of a process that was given one adds `-PID`.
    worker_id: Optional[str] = None
    #: The machine.
    host: str = ""
    #: The release that runs; it goes with heartbeats.
    version: Optional[str] = None
    #: Queues that this worker takes from, with commas; they go with heartbeats.
    queues: Optional[str] = None
    #: `cpu`, `gpu` or `hybrid`; it goes with heartbeats.
    capability: Optional[str] = None
    #: How many jobs this worker runs at once; it goes with heartbeats. 0 is not told.
    max_concurrent_tasks: int = 0
    #: Whether this process is a worker, which beats also while it has no job.
    worker: bool = False
    #: How often a worker beats; 0 is never.
    heartbeat_seconds: float = 15.0
    #: How often memory is looked at while a stage or job runs, for its peak; 0 is never.
    memory_interval_seconds: float = 0.1
    #: Whether the kernel's own peak (`VmHWM`) is reset and read where one stage runs alone. It is exact, but resetting
    #: it is seen by every program that looks at this process.
    kernel_peak: bool = False
    #: From how many megabytes on the memory tracker warns; 0 is never.
    memory_warning_mb: float = 2400.0
    #: How many percent of `memory_warning_mb` are critical.
    memory_critical_percent: float = 110.0
    #: From what share of the machine's (or container's) memory on the memory tracker warns early; 0 is never.
    memory_early_percent: float = 80.0
    #: From which peak of a stage on, in megabytes, the lines that hold the most memory go with its end; 0 is never, and
    #: `tracemalloc` is not started. It makes allocations several times slower.
    tracemalloc_mb: float = 0.0
    #: How many of these lines.
    tracemalloc_lines: int = 10
    #: Whether NVIDIA's library is asked for GPU time and memory.
    gpu: bool = False
    #: The most events that wait.
    queue_events: int = 10_000
    #: The most bytes that wait.
    queue_bytes: int = 4 * _MIB
    #: The most records of logs that wait; they have a queue of their own, and take no room from events.
    log_queue_records: int = 10_000
    #: The most bytes of those.
    log_queue_bytes: int = 2 * _MIB
    #: How many events are enough to send at once rather than to wait for more.
    flush_events: int = 1_000
    #: How long an event waits for others to go with.
    flush_seconds: float = 1.0
    #: The most events that are sent at once. More than `flush_events`: beside a program that keeps the interpreter busy
    #: each step of a request waits for its turn, so what has piled up meanwhile goes together.
    batch_events: int = 4_000
    #: The most bytes that are sent at once, before they are packed.
    batch_bytes: int = _MIB
    #: How long the server may take for each step of a request.
    timeout_seconds: float = 10.0
    #: The longest pause between two attempts.
    retry_seconds: float = 30.0
    #: How long the end of the process may be held up to deliver what waits.
    exit_seconds: float = 5.0
    #: Whether SIGTERM delivers what waits before it ends the process, where the application has no handler of its own.
    handle_sigterm: bool = True
    #: A folder for what cannot be delivered now.
    spool_dir: Optional[str] = None
    #: The most bytes in that folder.
    spool_bytes: int = 64 * _MIB
    #: A file with the certificates that are trusted, instead of the system's.
    ca_file: Optional[str] = None
    #: Whether the server's certificate is checked.
    verify_tls: bool = True
    #: Paths whose requests the middlewares leave alone, with commas; one that ends in `*` is all that begin so.
    exclude_paths: Optional[str] = None
    #: Networks and addresses of proxies whose header says who asked, with commas.
    trusted_proxies: Optional[str] = None
    #: That header: `X-Forwarded-For` or `Forwarded`.
    proxy_header: Optional[str] = None
    #: For the hash by which API keys are told.
    api_key_secret: Optional[str] = None


def read_settings(arguments: Mapping[str, Any], environment: Optional[Mapping[str, str]] = None) -> Settings:
    """Reads the settings. Whatever is wrong is logged once each, and left at its default."""
    environment = os.environ if environment is None else environment
    found: dict[str, Any] = {}
    for field in dataclasses.fields(Settings):
        variable = "WATCHKEEPER_" + field.name.upper()
        given, source = arguments.get(field.name), f"the argument {field.name}"
        if given is None:
            given, source = environment.get(variable), variable
        if given is None or given == "":
            continue
        try:
            found[field.name] = _reader_of(field.name, str(field.type))(given)
        except Exception as error:
            shown = "" if field.name in _SECRET else f" ({_shown(given)})"
            logger.warning("%s is left at its default: %s%s", source, error, shown)
    for name in arguments:
        if name not in Settings.__dataclass_fields__:
            logger.warning("there is no setting %s", _shown(name))
    if not found.get("host"):
        found["host"] = _host()
    return Settings(**found)


def _shown(value: object) -> str:
    return repr(value)[:80] if isinstance(value, (str, int, float, bool)) else type(value).__name__


def _host() -> str:
    try:
        return socket.gethostname() or "localhost"
    except OSError:
        return "localhost"


def _reader_of(name: str, annotation: str) -> Callable[[Any], Any]:
    special = _SPECIAL.get(name)
    if special is not None:
        return special
    if annotation == "bool":
        return _flag
    if annotation == "int":
        return _whole
    if annotation == "float":
        return _seconds
    return _text


def _text(value: Any) -> str:
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        raise ValueError("it is a text")
    text = str(value).strip()
    if not text or len(text.encode("utf-8")) > 512:
        raise ValueError("it has 1 to 512 bytes")
    return text


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in ("1", "true", "yes", "on"):
        return True
    if text in ("0", "false", "no", "off"):
        return False
    raise ValueError("it is true or false")


def _whole(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and value != int(value)):
        raise ValueError("it is a whole number")
    number = int(value)
    if not 1 <= number <= 1 << 50:
        raise ValueError("it is at least 1")
    return number


def _seconds(value: Any) -> float:
    if isinstance(value, bool):
        raise ValueError("it is a number of seconds")
    number = float(value)
    if not math.isfinite(number) or not 0 <= number <= 86_400:
        raise ValueError("it is a number of seconds from 0 to 86400")
    return number


def _above_zero(value: Any) -> float:
    number = _seconds(value)
    if number < 0.001:
        raise ValueError("it is more than 0")
    return number


def _amount(value: Any) -> float:
    if isinstance(value, bool):
        raise ValueError("it is a number")
    number = float(value)
    if not math.isfinite(number) or not 0 <= number <= 1e9:
        raise ValueError("it is a number from 0 on")
    return number


def _some(value: Any) -> int:
    return 0 if str(value).strip() == "0" else _whole(value)


def _lines(value: Any) -> int:
    number = _whole(value)
    if number > 100:
        raise ValueError("it is at most 100")
    return number


def _interval(value: Any) -> float:
    number = _seconds(value)
    if 0 < number < 0.005:
        raise ValueError("it is 0 or at least 0.005")
    return number


def _url(value: Any) -> str:
    text = _text(value).rstrip("/")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it is an address like http://127.0.0.1:7654")
    if parts.username or parts.query or parts.fragment:
        raise ValueError("it has no user, no `?` and no `#`; a key is the setting `key`")
    if any(not 0x21 <= ord(letter) <= 0x7E for letter in text):
        raise ValueError("it is written in ASCII, without spaces")
    _ = parts.port  # Raises where it is no number.
    return text


def _key(value: Any) -> str:
    text = _text(value)
    if any(not 0x21 <= ord(letter) <= 0x7E for letter in text):
        raise ValueError("it has letters that no key has")
    return text


def _capability(value: Any) -> str:
    text = _text(value).lower()
    if text not in ("cpu", "gpu", "hybrid"):
        raise ValueError("it is cpu, gpu or hybrid")
    return text


def _joined(value: Any) -> str:
    if isinstance(value, (list, tuple, set, frozenset)):
        value = ",".join(str(name) for name in value)
    if not isinstance(value, str):
        raise ValueError("it is a list, or a text with commas")
    return value


def _queues(value: Any) -> str:
    return _text(_joined(value))


def _folder(value: Any) -> str:
    text = os.fspath(value)
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise ValueError("it is the name of a folder")
    return os.path.abspath(text)


def _batch(value: Any) -> int:
    # The server takes no more in one body.
    number = _whole(value)
    if number > 10_000:
        raise ValueError("it is at most 10000")
    return number


_SECRET = frozenset(("key", "api_key_secret"))

_SPECIAL: dict[str, Callable[[Any], Any]] = {
    "url": _url,
    "key": _key,
    "capability": _capability,
    "queues": _queues,
    "max_concurrent_tasks": _some,
    "spool_dir": _folder,
    "ca_file": _folder,
    "batch_events": _batch,
    "flush_seconds": _above_zero,
    "timeout_seconds": _above_zero,
    "retry_seconds": _above_zero,
    "memory_interval_seconds": _interval,
    "memory_warning_mb": _amount,
    "memory_critical_percent": _amount,
    "memory_early_percent": _amount,
    "tracemalloc_mb": _amount,
    "tracemalloc_lines": _lines,
    "exclude_paths": _joined,
    "trusted_proxies": _joined,
}
