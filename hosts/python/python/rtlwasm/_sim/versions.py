"""Which versions of the frameworks the engines know: their engine interface is not a public one."""

from __future__ import annotations

from importlib import metadata


def require(framework: str, series: str) -> None:
    """Refuse a framework of another series of versions, such as "0.8"."""
    try:
        found = metadata.version(framework)
    except metadata.PackageNotFoundError:
        raise ImportError(f"this engine is for {framework} {series}, which is not installed", name=framework) from None
    if found.split(".")[:2] != series.split("."):
        raise ImportError(
            f"this engine is for {framework} {series}, and {found} is installed: install {framework}~={series}.0, or "
            "a version of rtlwasm that knows it",
            name=framework,
        )
