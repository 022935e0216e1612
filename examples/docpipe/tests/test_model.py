"""Vectors, summaries and keywords are computed, not made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from watchkeeper import MemoryTracker

from docpipe import text
from docpipe.embedding import BUCKETS, DIMENSIONS, Embedder
from docpipe.summarizing import find_insights, summarize

DOCUMENTS = Path(__file__).resolve().parent.parent / "documents"


def read(name: str) -> str:
    path = DOCUMENTS / name
    return text.extract(path.read_bytes(), text.MEDIA_TYPES[path.suffix])


def test_texts_that_share_words_lie_nearer() -> None:
    embedder = Embedder()
    embedder.load()
    whale, ocean, law = embedder.embed(
        ["the whale swims in the ocean", "a whale in the deep ocean", "Congress shall make no law"]
    )
    assert whale @ ocean > whale @ law + 0.2
    assert np.linalg.norm(whale) == pytest.approx(1.0, abs=1e-5)


def test_two_loads_give_the_same_vectors() -> None:
    vectors = []
    for _ in range(2):
        embedder = Embedder()
        embedder.load()
        vectors.append(embedder.embed(["call me Ishmael"] * 300))
    assert vectors[0].shape == (300, DIMENSIONS)
    assert np.array_equal(vectors[0], vectors[1])


def test_an_embedder_that_is_not_loaded_says_so() -> None:
    with pytest.raises(RuntimeError, match="not loaded"):
        Embedder().embed(["text"])


def test_loading_takes_memory_and_unloading_gives_it_back() -> None:
    size_mb = BUCKETS * DIMENSIONS * 4 / 2**20
    embedder, memory = Embedder(), MemoryTracker()
    with memory.loading("embedder"):
        embedder.load()
    with memory.unloading("embedder"):
        embedder.unload()
    measured = memory.get_metrics()["components"]["embedder"]
    assert measured["delta_mb"] > 0.8 * size_mb
    assert measured["freed_mb"] > 0.8 * size_mb


def test_a_summary_is_made_of_the_texts_own_sentences_in_their_order() -> None:
    source = read("gettysburg-address.txt")
    summary = summarize(source, sentences=3)["summary"]
    assert 20 < len(summary.split()) < len(source.split()) / 2
    flat = source.replace("\n\n", " ")
    assert all(sentence.strip(". ") in flat for sentence in summary.split(". "))


def test_a_short_text_is_its_own_summary() -> None:
    assert summarize("Call me Ishmael.") == {"summary": "Call me Ishmael."}


def test_insights_name_what_the_text_is_about() -> None:
    found = find_insights(read("bill-of-rights.md"))
    assert {"amendment", "right"} & set(found["keywords"])
    assert len(found["keywords"]) == 10
    assert found["words"] > 400


@pytest.mark.parametrize("source", ["", "...", "one two"])
def test_a_text_without_sentences_breaks_nothing(source: str) -> None:
    assert summarize(source) == {"summary": ""}
    assert find_insights(source)["keywords"] == []


@pytest.mark.parametrize("path", sorted(DOCUMENTS.iterdir()), ids=lambda path: path.name)
def test_every_document_can_be_read(path: Path) -> None:
    assert len(read(path.name).split()) > 150
