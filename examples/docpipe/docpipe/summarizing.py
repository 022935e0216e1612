"""The model: extractive summaries and keywords, by TF-IDF and TextRank.

TextRank (Mihalcea and Tarau, 2004) joins sentences that share words into a graph, and takes those
that a random walk on it visits most.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from .embedding import words_of

MOST_SENTENCES = 400
DAMPING = 0.85
STEPS = 30

STOP_WORDS = frozenset(
    """a about all an and any are as at be been but by can could did do for from had has have he her him his i if in
    into is it its may me more my no nor not of on one or other our out shall she should so some such than that the
    their them then there these they this those to up upon us was we were what when which who will with would you
    your""".split()
)


def summarize(text: str, sentences: int = 3) -> dict[str, Any]:
    """The sentences that say most about the text, in their own order."""
    found = _sentences(text)
    if len(found) <= sentences:
        return {"summary": " ".join(found)}
    ranks = _text_rank(_tf_idf(found)[0])
    best = sorted(np.argsort(-ranks, kind="stable")[:sentences])
    return {"summary": " ".join(found[index] for index in best)}


def find_insights(text: str, keywords: int = 10) -> dict[str, Any]:
    """The words that weigh most, and how long the text is to read."""
    found = _sentences(text)
    weights, vocabulary = _tf_idf(found)
    order = np.argsort(-weights.sum(axis=0), kind="stable")[:keywords]
    length = len(words_of(text))
    return {
        "keywords": [vocabulary[index] for index in order],
        "words": length,
        "sentences": len(found),
        "reading_minutes": round(length / 230, 1),
    }


def _sentences(text: str) -> list[str]:
    parts = re.split(r"(?<=[.!?;])[\"”’]?\s+|\n\n", text)
    return [part.strip() for part in parts if len(words_of(part)) > 2][:MOST_SENTENCES]


def _tf_idf(sentences: list[str]) -> tuple[np.ndarray, list[str]]:
    bags = [[word for word in words_of(sentence) if word not in STOP_WORDS and len(word) > 2] for sentence in sentences]
    vocabulary = sorted({word for bag in bags for word in bag})
    column = {word: index for index, word in enumerate(vocabulary)}
    counts = np.zeros((len(sentences), len(vocabulary)), dtype=np.float32)
    for row, bag in enumerate(bags):
        for word in bag:
            counts[row, column[word]] += 1.0
    documents_with = np.count_nonzero(counts, axis=0)
    return counts * np.log((1 + len(sentences)) / (1 + documents_with)), vocabulary


def _text_rank(weights: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(weights, axis=1, keepdims=True)
    unit = weights / np.maximum(lengths, 1e-12)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, 0.0)
    flow = similarity / np.maximum(similarity.sum(axis=1, keepdims=True), 1e-12)
    count = len(flow)
    ranks = np.full(count, 1.0 / count)
    for _ in range(STEPS):
        ranks = (1 - DAMPING) / count + DAMPING * (flow.T @ ranks)
    return ranks
