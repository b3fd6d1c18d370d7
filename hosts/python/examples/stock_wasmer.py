"""An artifact is plain WebAssembly: here the stock package `wasmer` runs one, without rtlwasm.

Usage: python stock_wasmer.py FILE.wasm INPUT OUTPUT. Does what stock_wasmtime.py does. The packages `wasmer` and
`wasmer_compiler_cranelift` are there for Python 3.7 to 3.10.
"""

import json
import sys
from pathlib import Path

from wasmer import Instance, Module, Store, engine
from wasmer_compiler_cranelift import Compiler

module = Module(Store(engine.JIT(Compiler)), Path(sys.argv[1]).read_bytes())
rtl = Instance(module).exports
manifest = json.loads(bytes(module.custom_sections("rtl.manifest")[0]))
number = {".".join(signal["path"]): i for i, signal in enumerate(manifest["signals"])}
rtl.rtl_reset()
rtl.rtl_poke(number[sys.argv[2]], 0, 1)
rtl.rtl_step(0, 100)
print(rtl.rtl_peek(number[sys.argv[3]], 0))
