"""Progress bars, where the user asks for them."""

from __future__ import annotations

from typing import Any


def bar(total: int, unit: str) -> Any:
    """A tqdm bar over `total` units."""
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise ImportError("progress=True needs tqdm: pip install rtlwasm[progress]") from error
    return tqdm(total=total, unit=f" {unit}", unit_scale=True)
