"""Log files that are followed: how fast the lines of one become records, by one thread that does nothing else, and how fast
they are stored. A file of a pipeline's lines is put into a folder that Watchkeeper looks at, as JSON and as Python's
`logging` writes them."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import servers
from ours import Ours
from services import Services, wait_for

FILE_BYTES = 1_000_000_000
SERVICES = ("api", "intake", "ocr", "layout", "tables", "chunker", "embedder", "llm-worker", "indexer", "export")
STAGES = ("extract", "layout", "ocr", "chunk", "embed", "store")
# A level for each of a hundred lines.
LEVELS = ("ERROR",) * 2 + ("WARNING",) * 5 + ("DEBUG",) * 20 + ("INFO",) * 73
MESSAGES = (
    "stage {stage} of document doc-{document:08x} completed in {ms} ms with confidence 0.{small}",
    "received document doc-{document:08x} from tenant tenant-{small}, {ms} bytes, application/pdf",
    "calling model llama3.1:70b for page {small} of document doc-{document:08x}, {ms} tokens in the prompt",
    "model answered after {ms} ms: {small} tokens, finish reason stop",
    "wrote {small} chunks of document doc-{document:08x} to the vector store in {ms} ms",
    "retrying task of document doc-{document:08x} after TimeoutError: the backend did not answer within {small} s",
)
JSON = (
    '{{"timestamp":"{time}","level":"{level}","service":"{service}","host":"gpu-{host:03}","environment":"production",'
    '"logger":"pipeline.{stage}","message":"{message}","trace_id":"{trace:032x}","span_id":"{span:016x}",'
    '"job_id":"job-{job:06}","stage":"{stage}","duration_ms":{ms}.5,"attempt":{attempt}}}\n'
)
TEXT = "{time} {level:<8} [pipeline.{stage}] {message}\n"


@dataclass(frozen=True)
class Figures:
    """What was measured of a file."""

    bytes: int
    lines: int
    reading_seconds: float
    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int


def _json_time(now: datetime) -> str:
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text_time(now: datetime) -> str:
    return now.strftime("%Y-%m-%d %H:%M:%S,") + f"{now.microsecond // 1000:03}"


FORMS: dict[str, tuple[str, Callable[[datetime], str]]] = {
    "JSON": (JSON, _json_time),
    "text": (TEXT, _text_time),
}


def measured(services: Services, binary: str, log_speed: str, form: str) -> Figures:
    """What reading a file takes by itself; then a server that waits for it, and what it takes it until all of that is
    stored."""
    made, followed = services.folder / "pipeline.log", services.folder / "logs"
    followed.mkdir()
    lines = _write(made, *FORMS[form])
    size = made.stat().st_size
    read = json.loads(subprocess.run([log_speed, str(made)], check=True, capture_output=True).stdout)
    if read["records"] != lines:
        raise ValueError(f"{lines} lines of {form} were read as {read['records']} records")
    more = f'[[logs]]\npaths = ["{followed}/*.log"]\nfrom = "beginning"\nservice = "pipeline"\ntime_zone = "UTC"\n'
    server = Ours(services, binary, more)
    before = server.cpu_seconds()
    made.rename(followed / made.name)
    # It looks for new files now and then, which is no part of how fast it reads.
    wait_for("the file to be found", lambda: server.metric("watchkeeper_tail_files") > 0)
    begun = time.monotonic()
    # To be looked at costs the server something, too.
    wait_for("all lines to be stored", lambda: _is_stored(server, size), 3600, 0.5)
    wall = time.monotonic() - begun
    cpu = server.cpu_seconds() - before
    stored = server.metric("watchkeeper_tail_records_total")
    unparsed = server.metric("watchkeeper_tail_lines_unparsed_total")
    if (stored, unparsed) != (lines, 0):
        raise ValueError(f"{lines} lines of {form} became {stored:.0f} records; {unparsed:.0f} could not be read")
    return Figures(size, lines, read["seconds"], cpu, wall, servers.peak(server.pid))


def _is_stored(server: Ours, size: int) -> bool:
    is_read = server.metric("watchkeeper_tail_bytes_total") >= size
    return is_read and server.metric("watchkeeper_tail_lag_bytes") == 0


def _write(path: Path, form: str, time_of: Callable[[datetime], str]) -> int:
    """Lines of the last day, as many as make a file of this size; the same ones each time, but for their times."""
    chance = random.Random(1)
    begin = datetime.now(timezone.utc) - timedelta(days=1)
    size = lines = 0
    with path.open("w", encoding="ascii") as file:
        while size < FILE_BYTES:
            bits = chance.getrandbits(64)
            stage, ms, small = STAGES[bits % 6], bits >> 8 & 0x7FFF, bits >> 24 & 63
            # The day is over with the file, about: a line has at least a hundred bytes.
            now = begin + timedelta(seconds=80_000 * size / FILE_BYTES)
            message = MESSAGES[(bits >> 32) % 6].format(stage=stage, document=bits >> 40 & 0x1FFFF, ms=ms, small=small)
            line = form.format(
                time=time_of(now),
                level=LEVELS[(bits >> 16) % 100],
                service=SERVICES[(bits >> 20) % 10],
                host=bits >> 28 & 63,
                stage=stage,
                message=message,
                trace=chance.getrandbits(128),
                span=bits,
                job=bits >> 12 & 0x7FFFF,
                ms=ms,
                attempt=bits & 1,
            )
            size += file.write(line)
            lines += 1
    return lines
