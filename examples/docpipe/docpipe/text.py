"""Bytes of a document → its plain text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

MEDIA_TYPES = {
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".html": "text/html",
    ".htm": "text/html",
}

_SILENT = {"script", "style", "head", "template"}
_BLOCKS = {"p", "div", "li", "br", "tr", "section", "article", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"}


class UnreadableDocument(Exception):
    """The bytes are no text. Another attempt will not help, but the worker does not know that, and tries."""


def extract(body: bytes, media_type: str) -> str:
    """The text of a document: paragraphs, with one empty line between them."""
    try:
        source = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableDocument(f"not UTF-8 at byte {error.start}") from error
    if media_type == "text/html":
        source = _from_html(source)
    elif media_type == "text/markdown":
        source = _from_markdown(source)
    paragraphs = (" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", source))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _from_html(source: str) -> str:
    reader = _HtmlText()
    reader.feed(source)
    reader.close()
    return "".join(reader.parts)


class _HtmlText(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent_depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent_depth += 1
        elif tag in _BLOCKS:
            self.parts.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent_depth = max(0, self._silent_depth - 1)
        elif tag in _BLOCKS:
            self.parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._silent_depth:
            # A line break in the source means no more than a space; only tags make paragraphs.
            self.parts.append(re.sub(r"\s+", " ", data))


def _from_markdown(source: str) -> str:
    source = re.sub(r"```.*?```", "", source, flags=re.DOTALL)
    source = re.sub(r"!\[([^\]]*)\]\([^)]*\)", r"\1", source)
    source = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", source)
    source = re.sub(r"^ {0,3}(#{1,6}|>|[-*+]|\d+\.)\s+", "", source, flags=re.MULTILINE)
    return re.sub(r"(\*\*|__|\*|`)(.+?)\1", r"\2", source)
