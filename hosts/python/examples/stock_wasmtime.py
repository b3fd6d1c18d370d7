"""An artifact is plain WebAssembly: here the stock package `wasmtime` runs one, without rtlwasm.

Usage: python stock_wasmtime.py FILE.wasm INPUT OUTPUT. Pokes 1 into an input, runs 100 cycles of the first clock and
prints an output of up to 64 bits. Signals have numbers, those of the ports in the order of their declaration; the
manifest in the file has the names. What the exports do is in runtime-abi/SPEC.md.
"""

import json
import sys
from pathlib import Path

from wasmtime import Instance, Module, Store

wasm = Path(sys.argv[1]).read_bytes()
store = Store()
rtl = Instance(store, Module(store.engine, wasm), []).exports(store)
text = wasm[wasm.index(b"\x0crtl.manifest") + 13 :].decode(errors="ignore")
manifest, _ = json.JSONDecoder().raw_decode(text)
number = {".".join(signal["path"]): i for i, signal in enumerate(manifest["signals"])}
rtl["rtl_reset"](store)
rtl["rtl_poke"](store, number[sys.argv[2]], 0, 1)
rtl["rtl_step"](store, 0, 100)
print(rtl["rtl_peek"](store, number[sys.argv[3]], 0))
