"""What the engine uses of Torii that is not public, all of it: the interface for engines."""

from __future__ import annotations

from torii.sim._base import BaseEngine

__all__ = ["BaseEngine"]
