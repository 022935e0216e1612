"""The version of the package, for the build and for whoever asks."""

from __future__ import annotations

__version__ = "0.1.0"
