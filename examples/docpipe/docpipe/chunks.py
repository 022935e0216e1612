"""Text → overlapping chunks, each small enough to embed."""

from __future__ import annotations

CHUNK_WORDS = 120
OVERLAP_WORDS = 20


def split(text: str, size: int = CHUNK_WORDS, overlap: int = OVERLAP_WORDS) -> list[str]:
    """Chunks of at most `size` words. Each begins with the last `overlap` words of the one before it, so
    that no sentence is cut in every chunk that holds it."""
    words = text.split()
    starts = range(0, max(1, len(words) - overlap), size - overlap)
    return [" ".join(words[start : start + size]) for start in starts] if words else []
