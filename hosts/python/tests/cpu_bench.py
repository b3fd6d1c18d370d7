"""A small processor in Amaranth and in Torii, running an endless program: a design that is busy in every cycle.

    python cpu_bench.py FRAMEWORK ENGINE CYCLES HOW

ENGINE is "pysim", "wasm", or a module with a `WASMSimEngine`; HOW is how a testbench runs it: "run" waits once, for all
the cycles; "wait" is resumed in each; "look" reads the program counter in each, too; "write" writes an input in each.
Prints the seconds of processor time that the cycles take, without those before the first, and what the processor has
come to.
"""

import sys
import time
from importlib import import_module

ROWS = 64
# Operation, destination, source, immediate: Fibonacci numbers, a table of them, xors, products and rotations, for ever.
ADD, SUB, XOR, AND, ROTATE, LOAD, STORE, JUMP, IMMEDIATE, MULTIPLY = range(10)
PROGRAM = [
    (IMMEDIATE, 0, 0, 0),
    (IMMEDIATE, 1, 0, 1),
    (IMMEDIATE, 2, 0, 0),
    (IMMEDIATE, 7, 0, 1),
    (ADD, 0, 1, 0),
    (XOR, 3, 0, 0),
    (STORE, 0, 2, 0),
    (ADD, 2, 7, 0),
    (LOAD, 4, 2, 0),
    (SUB, 4, 0, 0),
    (ROTATE, 5, 4, 0),
    (AND, 5, 3, 0),
    (ADD, 1, 0, 0),
    (MULTIPLY, 6, 1, 0),
    (XOR, 3, 6, 0),
    (JUMP, 0, 0, 4),
]
WORDS = [operation << 24 | to << 20 | source << 16 | immediate for operation, to, source, immediate in PROGRAM]


class Processor:
    """Eight registers of 32 bits; one instruction a cycle. `elaborate` serves both frameworks."""

    def __init__(self, hdl):
        self.hdl = hdl
        self.counter = hdl.Signal(8)
        self.result = hdl.Signal(32)
        self.stall = hdl.Signal()

    def elaborate(self, platform):
        hdl, m = self.hdl, self.hdl.Module()
        registers = hdl.Array([hdl.Signal(32, name=f"r{i}") for i in range(8)])
        data = hdl.Array([hdl.Signal(32, name=f"d{i}") for i in range(ROWS)])
        program = hdl.Array([hdl.Const(word, 32) for word in WORDS])
        word, a, b, value = hdl.Signal(32), hdl.Signal(32), hdl.Signal(32), hdl.Signal(32)
        operation, to, immediate = word[24:28], word[20:23], word[0:16]
        m.d.comb += [word.eq(program[self.counter]), a.eq(registers[to]), b.eq(registers[word[16:19]])]
        with m.Switch(operation):
            for code, result in {
                ADD: a + b,
                SUB: a - b,
                XOR: a ^ b,
                AND: a & b,
                ROTATE: hdl.Cat(b[5:], b[:5]),
                LOAD: data[b[:6]],
                STORE: a,
                JUMP: a,
                IMMEDIATE: immediate,
                MULTIPLY: a[:16] * b[:16],
            }.items():
                with m.Case(code):
                    m.d.comb += value.eq(result)
        with m.If(~self.stall):
            m.d.sync += [
                registers[to].eq(value),
                self.counter.eq(hdl.Mux(operation == JUMP, immediate, self.counter + 1)),
                self.result.eq(self.result ^ value),
            ]
            with m.If(operation == STORE):
                m.d.sync += data[b[:6]].eq(a)
        return m


def design(framework):
    """A processor that the framework takes."""
    hdl = import_module(f"{framework}.hdl")
    return type("Processor", (Processor, hdl.Elaboratable), {})(hdl)


def amaranth(sim, cpu, cycles, how, seen):
    """The testbench for Amaranth."""

    async def bench(ctx):
        await ctx.tick()
        seen.append(time.process_time())
        if how == "run":
            await ctx.tick().repeat(cycles)
        elif how == "wait":
            for _ in range(cycles):
                await ctx.tick()
        elif how == "look":
            for _ in range(cycles):
                await ctx.tick()
                ctx.get(cpu.counter)
        else:
            for i in range(cycles):
                ctx.set(cpu.stall, i & 1)
                await ctx.tick()
        seen.extend([time.process_time(), ctx.get(cpu.result)])

    sim.add_testbench(bench)


def torii(sim, cpu, cycles, how, seen):
    """The testbench for Torii."""
    from torii.sim import Delay

    def bench():
        yield
        seen.append(time.process_time())
        if how == "run":
            yield Delay(cycles * 1e-6)
        elif how == "wait":
            for _ in range(cycles):
                yield
        elif how == "look":
            for _ in range(cycles):
                yield
                yield cpu.counter
        else:
            for i in range(cycles):
                yield cpu.stall.eq(i & 1)
                yield
        seen.extend([time.process_time(), (yield cpu.result)])

    sim.add_sync_process(bench)


def measure(framework, engine, cycles, how):
    """Seconds for the cycles, and the result."""
    if engine == "wasm":
        engine = import_module(f"rtlwasm.{framework}").WASMEngine
    elif engine != "pysim":
        engine = import_module(engine).WASMSimEngine
    cpu, seen = design(framework), []
    sim = import_module(f"{framework}.sim").Simulator(cpu, engine=engine)
    sim.add_clock(1e-6)
    {"amaranth": amaranth, "torii": torii}[framework](sim, cpu, cycles, how, seen)
    sim.run()
    return seen[1] - seen[0], seen[2]


if __name__ == "__main__":
    seconds, result = measure(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
    print(f"{seconds:.6f} {result:#x}")
