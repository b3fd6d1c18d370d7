"""Runs SOL's and LUNA's own gateware tests under the engines, by pinned version and hash, test by test.

    python suites.py FOLDER

FOLDER keeps what is downloaded. How each test ended is written to `suites.txt` beside this file, which is checked in.
`cargo xtask python --suites` runs this.
"""

import hashlib
import os
import subprocess
import sys
import tarfile
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
RESULTS = Path(__file__).with_name("suites.txt")
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


def installed(folder, *packages):
    """Where packages are installed, without what they need."""
    if not folder.exists():
        partial = folder.with_suffix(".partial")
        subprocess.run([*PIP, "install", "--no-deps", "--target", str(partial), *packages], check=True)
        partial.rename(folder)
    return folder


def prepared(folder, *more):
    """The environment that the tests run in, with more folders of packages, and each project's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    unpacked = {framework: str(sources(folder, *project)) for framework, project in PROJECTS.items()}
    paths = [str(installed(folder / "lib", *NEEDED)), *map(str, more), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("RUST_BACKTRACE", None)
    return environment, unpacked


def suite(environment, *arguments):
    """The lines that the tests print: how, seconds, name."""
    command = [sys.executable, str(SUITE), *arguments]
    ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    rows = [line.split() for line in ran.stdout.splitlines()[:-1]]
    return [(how, float(seconds), name) for how, seconds, name in rows], ran.returncode


def main(folder):
    environment, unpacked = prepared(Path(folder))
    lines, failed = [], False
    for framework, project in PROJECTS.items():
        rows, code = suite(environment, framework, unpacked[framework], "wasm")
        failed |= bool(code)
        lines.append(f"{project[0]} {project[1]}, {framework}: {len(rows)} tests")
        lines.extend(f"{how:5} {name}" for how, _, name in sorted(rows, key=lambda row: row[2]))
        print(f"{lines[-len(rows) - 1]}, {sum(seconds for _, seconds, _ in rows):.1f} s of processor time", flush=True)
    print("\n".join(line for line in lines if not line.startswith("pass")))
    RESULTS.write_text("\n".join(lines) + "\n")
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
