"""Stands between an application and Watchkeeper, and can lose an answer."""

from __future__ import annotations

import gzip
import http.client
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable, Optional

from .running import Watchkeeper


class Relay:
    """Passes requests on."""

    def __init__(self, server: Watchkeeper) -> None:
        self._instead: Optional[Callable[[], None]] = None
        self._is_lost = threading.Event()
        #: How often each event was sent, by its id and type.
        self.sent: Counter[str] = Counter()
        #: How many events the server said that it had before.
        self.duplicates = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
                try:
                    connection.request("POST", self.path, body, dict(self.headers))
                    answer = connection.getresponse()
                    data = answer.read()
                except OSError:
                    # The server is away: so is what stands before it.
                    self.close_connection = True
                    return
                finally:
                    connection.close()
                if answer.status == 200:
                    outer.note(body, data)
                    if outer.loses():
                        self.close_connection = True
                        return
                self.send_response(answer.status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._lock = threading.Lock()
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def lose_answer(self, instead: Callable[[], None]) -> None:
        """Waits until the server has answered a batch, and calls `instead`; who sent the batch never learns of it."""
        self._is_lost.clear()
        self._instead = instead
        assert self._is_lost.wait(20), "nothing was sent"

    def loses(self) -> bool:
        with self._lock:
            instead, self._instead = self._instead, None
        if instead is None:
            return False
        instead()
        self._is_lost.set()
        return True

    def note(self, body: bytes, answer: bytes) -> None:
        events = [json.loads(line) for line in gzip.decompress(body).split(b"\n")]
        with self._lock:
            self.sent.update(f"{event['event_id']} {event['type']}" for event in events)
            self.duplicates += json.loads(answer)["duplicates"]

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
