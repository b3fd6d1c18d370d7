"""Compiles in a process of its own, for the runner: the arguments of `rtlwasm.compile` as JSON in, a file out."""

from __future__ import annotations

import json
import sys

from .. import compile as compile_design
from ..errors import RtlwasmError

if __name__ == "__main__":
    try:
        compile_design(**json.loads(sys.argv[1]))
    except RtlwasmError as error:
        sys.exit(str(error))
