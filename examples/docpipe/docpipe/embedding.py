"""Texts → vectors: hashed bags of words, projected at random onto few dimensions.

The projection keeps distances (the lemma of Johnson and Lindenstrauss), so texts that share words
lie near each other. It is no neural network, but it costs what a small one costs: tens of megabytes
while it is loaded, and real arithmetic for every chunk.
"""

from __future__ import annotations

import re
import zlib
from typing import Sequence

import numpy as np

BUCKETS = 32_768
DIMENSIONS = 256
BATCH = 256


class Embedder:
    """Call `load` before `embed`, and `unload` to give the memory back: 32 MiB, and as much again for a batch."""

    def __init__(self) -> None:
        self._projection: np.ndarray | None = None

    def load(self) -> None:
        """Makes the projection. The seed is fixed: the vectors of every process can be compared."""
        random = np.random.default_rng(seed=7)
        projection = random.standard_normal((BUCKETS, DIMENSIONS), dtype=np.float32)
        projection /= np.sqrt(np.float32(DIMENSIONS))
        self._projection = projection

    def load_once(self) -> None:
        """Loads, unless that is done."""
        if self._projection is None:
            self.load()

    def unload(self) -> None:
        """Forgets the projection."""
        self._projection = None

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """One unit vector a text; shape (texts, DIMENSIONS), float32. A text without words gets a zero vector."""
        if self._projection is None:
            raise RuntimeError("the embedder is not loaded")
        vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        for start in range(0, len(texts), BATCH):
            batch = texts[start : start + BATCH]
            vectors[start : start + len(batch)] = _bags_of_words(batch) @ self._projection
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.maximum(lengths, np.float32(1e-12))


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return re.findall(r"[a-z']+", text.lower())


def _bags_of_words(texts: Sequence[str]) -> np.ndarray:
    bags = np.zeros((len(texts), BUCKETS), dtype=np.float32)
    for row, text in enumerate(texts):
        for word in words_of(text):
            bags[row, zlib.crc32(word.encode()) % BUCKETS] += 1.0
    return np.log1p(bags, out=bags)
