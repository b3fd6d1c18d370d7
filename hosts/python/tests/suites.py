"""Runs SOL's and LUNA's own gateware tests under the engines, by pinned version and hash, test by test.

    python suites.py FOLDER [--measure]

FOLDER keeps what is downloaded. With --measure each test runs in processes of its own instead: under the framework's
own engine, under ours with all caches empty, and again with them filled; the figures are seconds of processor time.
`cargo xtask python --suites` and `--engines` run this.
"""

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

# The tests are only in the source distributions.
PROJECTS = {
    "torii": ("sol-usb", "0.8.0", "3c0fee3768a389e3c321db6c634719d5a22a7066c086ca2f2057d2c839ebe23d"),
    "amaranth": ("luna-usb", "0.2.3", "32958b5e97481d2eb8ce9c8adc784cb44e59f9f07ca860a103272230822c8285"),
}
NEEDED = [
    *(f"{name}=={version}" for name, version, _ in PROJECTS.values()),
    *("torii-usb==0.8.1", "usb-construct==0.2.1", "usb-protocol==0.9.2", "construct==2.10.70"),
    *("libusb1==3.4.0", "pyusb==1.3.1", "pyserial==3.5"),
]
SUITE = Path(__file__).with_name("suite.py")
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]


def sources(folder, name, version, digest):
    """The unpacked source distribution of a project."""
    stem = f"{name.replace('-', '_')}-{version}"
    archive, unpacked = folder / f"{stem}.tar.gz", folder / stem
    if unpacked.exists():
        return unpacked
    command = ["download", "--no-deps", "--no-binary", ":all:", "--dest", str(folder)]
    subprocess.run([*PIP, *command, f"{name}=={version}"], check=True)
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != digest:
        sys.exit(f"{archive} has the hash {found}, and should have {digest}")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    # Without this file LUNA's tests are no package.
    (unpacked / "tests" / "__init__.py").touch()
    return unpacked


def libraries(folder):
    """Where the projects and what they need are installed."""
    target = folder / "lib"
    if not target.exists():
        partial = folder / "lib.partial"
        subprocess.run([*PIP, "install", "--no-deps", "--target", str(partial), *NEEDED], check=True)
        partial.rename(target)
    return target


def suite(environment, *arguments):
    """The lines that the tests print: how, seconds, name."""
    command = [sys.executable, str(SUITE), *arguments]
    ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    rows = [line.split() for line in ran.stdout.splitlines()[:-1]]
    return [(how, float(seconds), name) for how, seconds, name in rows], ran.returncode


def measure(environment, framework, folder, names):
    """One line a test: the framework's engine, ours with empty caches, ours with full ones."""
    for name in names:
        with tempfile.TemporaryDirectory() as cache:
            ours = {**environment, "RTLWASM_CACHE": cache}
            runs = [(environment, "pysim"), (ours, "wasm"), (ours, "wasm")]
            rows = [suite(each, framework, folder, engine, name)[0] for each, engine in runs]
        # A name may be the beginning of another.
        times = [next((seconds for _, seconds, found in row if found == name), None) for row in rows]
        print(f"{times[0]:9.3f} {times[1]:8.3f} {times[2]:8.3f}  {name}", flush=True)


def main(folder, *options):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [str(libraries(folder)), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("RUST_BACKTRACE", None)
    failed = False
    for framework, project in PROJECTS.items():
        unpacked = str(sources(folder, *project))
        rows, code = suite(environment, framework, unpacked, "wasm")
        failed |= bool(code)
        print(f"{project[0]} {project[1]}, {framework}: {len(rows)} tests")
        if "--measure" in options:
            print("framework    empty     full")
            measure(environment, framework, unpacked, [name for _, _, name in rows])
            continue
        for how, seconds, name in rows:
            print(f"{how:5} {seconds:8.3f}  {name}")
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
