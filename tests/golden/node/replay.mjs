// Replays stimuli on artifacts with the WebAssembly engine of Node: a folder in, one trace per case out.
//
// The folder holds for each case NAME.json (`inputs` and `outputs` as [port id, limbs], `clocks` as trigger
// rows, `step` as the index of the only clock or null), NAME.wasm and NAME.stimulus (see oracle/bench.rs).
// Only the exports of the ABI are used, nothing of the manifest.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FINISHED = 1, STOPPED = 2, ASSERTION_FAILED = 3;
const RING_FULL = 4;
const DONE = 1024 + 96, EVENT_HEAD = 1024 + 56, EVENT_TAIL = 1024 + 60;

const folder = process.argv[2];
for (const file of readdirSync(folder).filter((name) => name.endsWith(".json")).sort()) {
  const name = file.slice(0, -".json".length);
  writeFileSync(join(folder, `${name}.trace`), replay(name, JSON.parse(readFileSync(join(folder, file), "utf8"))));
}

function replay(name, { inputs, outputs, clocks, step }) {
  const module = new WebAssembly.Module(readFileSync(join(folder, `${name}.wasm`)));
  if (WebAssembly.Module.imports(module).length !== 0) throw new Error(`${name} has imports`);
  const rtl = new WebAssembly.Instance(module, {}).exports;
  const memory = new DataView(rtl.memory.buffer);

  // Events are dropped here; a full ring is drained, and the call goes on.
  const call = (run) => {
    for (;;) {
      const status = run();
      memory.setUint32(EVENT_TAIL, memory.getUint32(EVENT_HEAD, true), true);
      if (status !== RING_FULL) return status;
    }
  };
  const apply = (values) => {
    inputs.forEach(([id, limbs], index) => {
      for (let limb = 0; limb < limbs; limb++) {
        rtl.rtl_poke(id, limb, BigInt.asIntN(64, values[index] >> BigInt(64 * limb)));
      }
    });
    return call(() => rtl.rtl_eval());
  };
  const cycle = (rising) => {
    if (clocks.length === 0) return 0;
    if (step !== null) {
      let first = 0;
      for (let left = 1n; left > 0n; ) {
        const status = call(() => rtl.rtl_step(step, left));
        first ||= status;
        left -= memory.getBigUint64(DONE, true);
        if (status !== STOPPED && status !== ASSERTION_FAILED) break;
      }
      return first;
    }
    let mask = 0n;
    clocks.forEach((trigger, index) => {
      if ((rising >> BigInt(index)) & 1n) mask |= 1n << BigInt(trigger);
    });
    return call(() => rtl.rtl_edges(mask, 0n)) || call(() => rtl.rtl_edges(0n, mask));
  };
  const sample = () =>
    outputs
      .map(([id, limbs]) => {
        let text = "";
        for (let limb = limbs - 1; limb >= 0; limb--) {
          text += BigInt.asUintN(64, rtl.rtl_peek(id, limb)).toString(16).padStart(16, "0");
        }
        return text;
      })
      .join(" ");

  call(() => rtl.rtl_reset());
  const lines = readFileSync(join(folder, `${name}.stimulus`), "utf8").trimEnd().split("\n");
  const rows = lines.map((line) => line.split(" ").map((digits) => BigInt(`0x${digits}`)));
  apply(rows[0].slice(1));
  const trace = [];
  for (const [rising, ...values] of rows.slice(1)) {
    const status = apply(values) || cycle(rising);
    trace.push(`${status} ${sample()}\n`);
    if (status === FINISHED) break;
  }
  return trace.join("");
}
