"""Bytes become text and chunks."""

from __future__ import annotations

import pytest

from docpipe import chunks, text


def test_html_loses_its_tags_scripts_and_entities() -> None:
    page = b"""<html><head><title>no</title><style>no { }</style></head>
    <body><h1>A &amp; B</h1><p>one <em>two</em>
    three</p><script>no()</script><ul><li>four</li><li>five</li></ul></body></html>"""
    assert text.extract(page, "text/html") == "A & B\n\none two three\n\nfour\n\nfive"


def test_markdown_loses_its_marks() -> None:
    source = b"# Title\n\nA **bold** [link](http://example.org) and `code`.\n\n- one\n\n```\nno\n```\n"
    assert text.extract(source, "text/markdown") == "Title\n\nA bold link and code.\n\none"


def test_paragraphs_of_plain_text_stay_apart() -> None:
    assert text.extract(b"\xef\xbb\xbfone\ntwo\n\n\nthree\n", "text/plain") == "one two\n\nthree"


def test_bytes_that_are_no_utf8_are_refused_with_their_place() -> None:
    with pytest.raises(text.UnreadableDocument, match="not UTF-8 at byte 2"):
        text.extract(b"ab\xff\xfe", "text/plain")


def test_chunks_overlap_and_lose_no_word() -> None:
    words = [f"w{number}" for number in range(1000)]
    pieces = [piece.split() for piece in chunks.split(" ".join(words), size=120, overlap=20)]
    assert all(len(piece) <= 120 for piece in pieces)
    assert all(piece[-20:] == following[:20] for piece, following in zip(pieces, pieces[1:]))
    joined = pieces[0] + [word for piece in pieces[1:] for word in piece[20:]]
    assert joined == words


@pytest.mark.parametrize("count", [1, 19, 20, 21, 119, 120, 121, 220, 221])
def test_every_length_is_chunked_whole(count: int) -> None:
    words = [f"w{number}" for number in range(count)]
    pieces = chunks.split(" ".join(words))
    assert set(" ".join(pieces).split()) == set(words)
    assert pieces[-1].split()[-1] == words[-1]


def test_no_text_makes_no_chunks() -> None:
    assert chunks.split("  ") == []
