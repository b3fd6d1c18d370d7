"""Measures everything that docs/python.md says about speed, and writes it there; nothing passes or fails.

    python bench.py RTLWASM FOLDER

RTLWASM is the command; FOLDER keeps what is downloaded. All figures are processor time, the least of some turns; each
test runs in processes of its own. `cargo xtask bench python` runs this.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import speed
from cpu_bench import __file__ as cpu_bench
from suites import installed, prepared, suite

PAGE = Path(__file__).parents[3] / "docs" / "python.md"
OTHER = "torii-sim-wasm==0.2.0"
# The tests that torii-sim-wasm shows in its own table, longest first.
SEED = [
    "USBAnalyzerOverflowTest.test_fast_traffic",
    "USBAnalyzerTest.test_overrun",
    "USBAnalyzerStackTest.test_simple_analysis",
    "USBAnalyzerTest.test_short_packet",
    "USBAnalyzerTest.test_single_packet",
    "SPIRegisterInterfaceTest.test_aborted_write_behavior",
    "SPIRegisterInterfaceTest.test_undefined_read_behavior",
    "SPIRegisterInterfaceTest.test_write_behavior",
    "SPIDeviceInterfaceTest.test_spi_interface",
    "SPIDeviceInterfaceTest.test_spi_transmit_second_word",
    "TestHyperRAMInterface.test_register_read",
    "TestHyperRAMInterface.test_register_write",
]
HOW = {
    "run": "waits for all cycles at once",
    "wait": "is resumed in each",
    "look": "and reads a signal",
    "write": "and writes a signal",
}
# Seconds from which one turn is enough.
LONG, TURNS = 5.0, 3
CYCLES = {"pysim": 5_000, "torii_sim_wasm": 5_000, "wasm": 500_000}


def seconds(environment, unpacked, engine, name):
    """How long a test of SOL takes; None: it did not pass."""
    times = []
    while len(times) < TURNS:
        rows = suite(environment, "torii", unpacked["torii"], engine, name)[0]
        # A name may be the beginning of another.
        found = [taken for how, taken, full in rows if how == "pass" and full.endswith("." + name)]
        if not found:
            return None
        times += found
        if times[0] > LONG:
            break
    return min(times)


def cold(environment, unpacked, name):
    """The same for our engine, with nothing kept from before."""
    times = []
    while len(times) < TURNS and not (times and times[0] > LONG):
        with tempfile.TemporaryDirectory() as cache:
            ours = {**environment, "RTLWASM_CACHE": cache}
            rows = suite(ours, "torii", unpacked["torii"], "wasm", name)[0]
        times += [taken for _, taken, full in rows if full.endswith("." + name)]
    return min(times)


def tests(environment, unpacked):
    """The table of SOL's tests."""
    yield "| Test of SOL 0.8.0 | Torii's engine | torii-sim-wasm 0.2.0 | empty caches | again |"
    yield "|---|---|---|---|---|"
    for name in SEED:
        with tempfile.TemporaryDirectory() as cache:
            ours = {**environment, "RTLWASM_CACHE": cache}
            suite(ours, "torii", unpacked["torii"], "wasm", name)
            runs = [(environment, "pysim"), (environment, "torii_sim_wasm"), (ours, "wasm")]
            times = [seconds(each, unpacked, engine, name) for each, engine in runs]
        times.insert(2, cold(environment, unpacked, name))
        cells = ("fails" if time is None else f"{time:.3f}" if time < 10 else f"{time:.1f}" for time in times)
        yield f"| `{name}` | {' | '.join(cells)} |"


def processor(environment):
    """The table of the processor."""
    engines = [("amaranth", "pysim"), ("amaranth", "wasm"), ("torii", "pysim"), ("torii", "torii_sim_wasm")]
    yield "| A testbench that | Amaranth's engine | ours | Torii's engine | torii-sim-wasm | ours |"
    yield "|---|---|---|---|---|---|"
    for how, what in HOW.items():
        cells = []
        for framework, engine in [*engines, ("torii", "wasm")]:
            cycles = CYCLES[engine]
            command = [sys.executable, cpu_bench, framework, engine, str(cycles), how]
            turns = [subprocess.run(command, env=environment, capture_output=True, text=True) for _ in range(TURNS)]
            times = [float(turn.stdout.split()[0]) for turn in turns if not turn.returncode]
            cells.append(f"{min(times) / cycles * 1e6:.2f}" if times else "fails")
        yield f"| {what} | {' | '.join(cells)} |"


def calls(command):
    """The table of calls from Python."""
    designs = [speed.counter] + ([speed.picorv32] if "RTLWASM_CORES" in os.environ else [])
    columns, million = [], ""
    for design in designs:
        artifact, written, shown = design()
        columns.append(speed.cycle_by_cycle(artifact.model(), written, shown))
        if design is not speed.counter:
            # Cycles of the counter, which is not enabled, change nothing and are only counted.
            python, rust = speed.long_runs(artifact, command, written)
            million = f"| `step(1_000_000)`, seconds; from Rust {rust:.3f} | | {python:.3f} |"
    yield "| A cycle, microseconds | " + " | ".join(["a counter", "PicoRV32"][: len(columns)]) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    for what in columns[0]:
        yield f"| {what} | " + " | ".join(f"{column[what] / 1e3:.2f}" for column in columns) + " |"
    if million:
        yield million


def write(name, lines):
    """Puts a table into the page, line by line on the screen, too."""
    table = []
    for line in lines:
        print(line, flush=True)
        table.append(line)
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, _, rest = PAGE.read_text().partition(start)
    after = rest.partition(end)[2]
    PAGE.write_text(before + start + "\n".join(table) + "\n" + end + after)


def main(command, folder):
    folder = Path(folder)
    environment, unpacked = prepared(folder, folder / "torii-sim-wasm")
    try:
        installed(folder / "torii-sim-wasm", OTHER)
    except subprocess.CalledProcessError:
        print(f"{OTHER} cannot be installed here: its column says so")
    write("processor", processor(environment))
    write("calls", calls(command))
    write("tests of SOL", tests(environment, unpacked))


if __name__ == "__main__":
    main(*sys.argv[1:])
