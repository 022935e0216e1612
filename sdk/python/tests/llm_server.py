"""A small real server that speaks OpenAI's API and Ollama's, as far as the tests ask."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WORDS = ["The ", "answer ", "is ", "42."]


class ModelServer:
    """Models by what they do: `good`, `slow`, `silent` (a stream without usage), `broken` (it breaks off),
    `stalled` (it says one word), `bad` (400), `busy` (503), `wrong` (an error within a stream), `thinking`."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append({"path": self.path, **body})
                try:
                    _answer(self, body)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *args: Any) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that goes away is what some tests are about."""

        self._http = Quiet(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()


def _answer(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    path, model = handler.path, body.get("model")
    if model in ("bad", "busy", "refused"):
        status = {"bad": 400, "busy": 503, "refused": 422}[model]
        error: Any = f"model {model} cannot: {json.dumps(body)}" if model == "refused" else f"model {model} cannot"
        return _send(handler, status, {"error": error if "/api/" in path else {"message": error, "type": "invalid"}})
    if path.startswith("/api/"):
        return _ollama(handler, path, body)
    make = {"/v1/chat/completions": _chat, "/v1/completions": _text, "/v1/embeddings": _embeddings}.get(path)
    if make is None and path.startswith("/v1/responses"):
        make = _responses
    if make is None:
        make = _chat if "chat/completions" in path else None
    if make is None:
        return _send(handler, 404, {"error": {"message": path}})
    return make(handler, body)


def _send(handler: BaseHTTPRequestHandler, status: int, answer: Any) -> None:
    data = json.dumps(answer).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("x-request-id", "req-1")
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


def _stream(
    handler: BaseHTTPRequestHandler, kind: str, pieces: list[bytes], broken: bool, stalled: bool = False
) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", kind)
    handler.send_header("x-request-id", "req-2")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for piece in pieces:
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.wfile.flush()
        time.sleep(0.01)
    if stalled:
        # Until the client leaves.
        handler.rfile.read(1)
    if broken or stalled:
        handler.close_connection = True
        return
    handler.wfile.write(b"0\r\n\r\n")


def _sse(pieces: list[Any], named: bool = False) -> list[bytes]:
    return [
        (f"event: {p['type']}\n" if named else "").encode() + b"data: " + json.dumps(p).encode() + b"\n\n"
        for p in pieces
    ]


USAGE = {
    "prompt_tokens": 20,
    "completion_tokens": 7,
    "total_tokens": 27,
    "prompt_tokens_details": {"cached_tokens": 5},
    "completion_tokens_details": {"reasoning_tokens": 2},
}


def _chat(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    model = body.get("model", "deployment")
    base = {"id": "c-1", "created": 1754083800, "model": f"{model}-2025"}
    if not body.get("stream"):
        message: dict[str, Any] = {"role": "assistant", "content": "".join(WORDS)}
        if model == "json":
            message["content"] = '{"number": 42}'
        if body.get("tools"):
            function = {"name": "find", "arguments": "{}"}
            message = {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "t", "type": "function", "function": function}],
            }
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if body.get("tools") else "stop"}
        return _send(handler, 200, {**base, "object": "chat.completion", "choices": [choice], "usage": USAGE})
    base["object"] = "chat.completion.chunk"

    def chunk(delta: dict[str, Any], reason: Any = None) -> dict[str, Any]:
        return {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    pieces: list[Any] = [chunk({"role": "assistant", "content": ""})]
    pieces += [
        chunk(
            {"reasoning_content": "hm" if model == "thinking" else word} if model == "thinking" else {"content": word}
        )
        for word in WORDS
    ]
    if model == "wrong":
        pieces.append({"error": {"message": "out of memory", "code": 500}})
        return _stream(handler, "text/event-stream", _sse(pieces), False)
    if model == "broken":
        return _stream(handler, "text/event-stream", _sse(pieces), True)
    if model == "stalled":
        return _stream(handler, "text/event-stream", _sse(pieces[:2]), False, stalled=True)
    pieces.append(chunk({}, "stop"))
    if (body.get("stream_options") or {}).get("include_usage"):
        pieces.append({**base, "choices": [], "usage": USAGE})
    return _stream(handler, "text/event-stream", [*_sse(pieces), b"data: [DONE]\n\n"], False)


def _text(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    base = {"id": "c-1", "created": 1, "model": body["model"], "object": "text_completion"}
    if not body.get("stream"):
        choice = {"index": 0, "text": "".join(WORDS), "finish_reason": "length", "logprobs": None}
        return _send(handler, 200, {**base, "choices": [choice], "usage": USAGE})
    pieces = [{**base, "choices": [{"index": 0, "text": word, "finish_reason": None}]} for word in WORDS]
    pieces.append({**base, "choices": [{"index": 0, "text": "", "finish_reason": "length"}]})
    return _stream(handler, "text/event-stream", [*_sse(pieces), b"data: [DONE]\n\n"], False)


def _embeddings(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    data = [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}]
    usage = {"prompt_tokens": 6, "total_tokens": 6}
    _send(handler, 200, {"object": "list", "data": data, "model": body["model"], "usage": usage})


def _responses(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    model = body["model"]
    usage = {
        "input_tokens": 11,
        "output_tokens": 6,
        "total_tokens": 17,
        "input_tokens_details": {"cached_tokens": 3},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    content = {"type": "output_text", "text": "".join(WORDS), "annotations": []}
    message = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [content]}
    whole: dict[str, Any] = {
        **{"id": "r-1", "object": "response", "created_at": 1, "model": f"{model}-2025", "status": "completed"},
        **{"output": [message], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "usage": usage},
        **{"error": None, "incomplete_details": None, "instructions": None, "metadata": {}},
    }
    if model == "wrong":
        whole.update(status="failed", error={"code": "server_error", "message": "out of memory"}, usage=None)
    if model == "cut":
        whole.update(status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    if not body.get("stream"):
        return _send(handler, 200, whole)
    first = {**whole, "status": "in_progress", "output": [], "usage": None, "error": None, "incomplete_details": None}
    where = {"item_id": "m", "output_index": 0, "content_index": 0}
    empty = {**message, "status": "in_progress", "content": []}
    pieces: list[dict[str, Any]] = [
        {"type": "response.created", "response": first},
        {"type": "response.output_item.added", "output_index": 0, "item": empty},
        {"type": "response.content_part.added", **where, "part": {**content, "text": ""}},
    ]
    pieces += [{"type": "response.output_text.delta", **where, "delta": word, "logprobs": []} for word in WORDS]
    pieces.append({"type": f"response.{whole['status']}", "response": whole})
    numbered = [{**piece, "sequence_number": number} for number, piece in enumerate(pieces)]
    return _stream(handler, "text/event-stream", _sse(numbered, named=True), False)


TIMES = {
    "total_duration": 2_500_000_000,
    "load_duration": 1_000_000_000,
    "prompt_eval_count": 30,
    "prompt_eval_duration": 500_000_000,
    "eval_count": 50,
    "eval_duration": 1_000_000_000,
}


def _ollama(handler: BaseHTTPRequestHandler, path: str, body: dict[str, Any]) -> None:
    model = body["model"]
    base = {"model": f"{model}:latest", "created_at": "2025-08-01T21:30:00Z"}
    if path == "/api/embed":
        times = {name: TIMES[name] for name in ("total_duration", "load_duration", "prompt_eval_count")}
        return _send(handler, 200, {"model": model, "embeddings": [[0.1]], **times})
    if path == "/api/embeddings":
        return _send(handler, 200, {"embedding": [0.1]})

    def piece(text: str) -> dict[str, Any]:
        if path == "/api/chat":
            return {**base, "message": {"role": "assistant", "content": text}, "done": False}
        return {**base, "response": text, "done": False}

    end = {"done": True, "done_reason": "stop", **TIMES}
    if not body.get("stream"):
        return _send(handler, 200, {**piece("".join(WORDS)), **end})
    pieces = [piece(word) for word in WORDS]
    if model == "wrong":
        pieces.append({"error": "out of memory"})
    elif model != "broken":
        pieces.append({**piece(""), **end})
    lines = [json.dumps(p).encode() + b"\n" for p in pieces]
    if model == "stalled":
        return _stream(handler, "application/x-ndjson", lines[:1], False, stalled=True)
    return _stream(handler, "application/x-ndjson", lines, model == "broken")
