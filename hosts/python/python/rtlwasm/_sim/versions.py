"""Which versions of the frameworks the engines know: their engine interface is not a public one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata


def require(framework: str, series: str) -> None:
    """Refuse a framework of another series of versions, such as "0.8"."""
    try:
        found = metadata.version(framework)
    except metadata.PackageNotFoundError:
        raise ImportError(f"this engine is for {framework} {series}, which is not installed", name=framework) from None
    if found.split(".")[:2] != series.split("."):
        raise _unknown(framework, series, f"{found} is installed")


@contextmanager
def complete(framework: str, series: str) -> Iterator[None]:
    """Refuse a framework that lacks something which is looked for inside."""
    try:
        yield
    except (AttributeError, ImportError, TypeError, ValueError) as error:
        found = f"{metadata.version(framework)} lacks something that it uses ({error})"
        raise _unknown(framework, series, found) from error


def _unknown(framework: str, series: str, found: str) -> ImportError:
    return ImportError(
        f"this engine is for {framework} {series}, and {found}: install {framework}~={series}.0, or a version of "
        "rtlwasm that knows it",
        name=framework,
    )
