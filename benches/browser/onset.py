"""What the speech pre-roll costs and gains in a browser: see docs/performance.md.

Starts a daemon on loopback, people on aiortc who whistle, and a listener in Chromium, and ends them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conversation import Burst, Setting
    from daemon import Daemon

ROOT = Path(__file__).resolve().parents[2]
PROTO = ROOT / "crates/stoa-api/proto"
TESTS = ROOT / "crates/stoad/tests/python"
END_SECONDS = 20
# Of a burst, in steps of 20 ms: those that are always heard.
MIDDLE, LAST = 10, 19


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    built = ROOT / "target/debug/stoad"
    parser.add_argument("--stoad", type=Path, default=built, help="the daemon's program")
    parser.add_argument("--prerolls", default="0,60,120,200", help="milliseconds (%(default)s)")
    parser.add_argument("--scenarios", default="taken,free,steady", help="(%(default)s)")
    parser.add_argument("--bursts", type=int, default=15, help="in each round (%(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=2, help="of all settings, each with a new browser (%(default)s)"
    )
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    given = parser.parse_args()
    given.prerolls = [int(preroll) for preroll in given.prerolls.split(",")]
    given.scenarios = given.scenarios.split(",")
    given.node = shutil.which("node")
    if given.node is None or not given.stoad.is_file():
        parser.error(f"node and {given.stoad} are needed: `cargo build -p stoad`")
    given.peers = str(Path(__file__).with_name("ear.mjs"))
    return given


def make_stubs(folder: Path) -> None:
    """Make the stubs of the control API, and put them and the tests' modules on the path."""
    files = [str(file) for file in sorted((PROTO / "stoa/control/v1").glob("*.proto"))]
    command = [sys.executable, "-m", "grpc_tools.protoc", "--proto_path", str(PROTO)]
    outputs = ["--python_out", str(folder), "--grpc_python_out", str(folder)]
    subprocess.run([*command, *outputs, *files], check=True)
    sys.path += [str(folder), str(TESTS)]


@contextlib.contextmanager
def running_daemon(program: Path, folder: Path) -> Iterator[tuple[Daemon, str]]:
    """Start a daemon, give it and its page, and end it."""
    from daemon import Daemon

    loopback = "127.0.0.1:0"
    ports = ["--page", loopback, "--control", loopback, "--media-port", "0"]
    command = [program, "dev", *ports, "--advertise", "127.0.0.1", "--directory", folder]
    log = (folder / "log").open("w")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        control = page = None
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("The control API is at "):
                control = line.removeprefix("The control API is at ").split(",")[0].strip()
            elif line.strip().startswith("http://"):
                page = line.strip().split("?")[0]
            if control and page:
                break
        else:
            raise SystemExit(f"the daemon did not start:\n{(folder / 'log').read_text()}")
        ca = folder / "ca.pem"
        key = (folder / "api-key").read_text().strip()
        yield Daemon(control, ca.read_bytes(), str(ca), key, process.pid), page
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


async def measure(daemon: Daemon, given: argparse.Namespace) -> list[dict[str, Any]]:
    """Go through all settings, again in each round, so that a busy moment does not fall on one."""
    from conversation import COUNTED, Setting, converse

    settings = [Setting(name, preroll) for name in given.scenarios for preroll in given.prerolls]
    bursts: dict[Setting, list[Burst]] = {setting: [] for setting in settings}
    counted = {setting: dict.fromkeys(COUNTED, 0.0) for setting in settings}
    done, total = 0, len(settings) * given.rounds * given.bursts

    def progress() -> None:
        nonlocal done
        done += 1
        print(f"\r{done} of {total} bursts", end="", file=sys.stderr, flush=True)

    async with daemon.aio_channel() as channel:
        for turn in range(given.rounds):
            for setting in settings:
                heard, counts = await converse(channel, given, setting, turn, progress)
                bursts[setting] += heard
                for name, count in counts.items():
                    counted[setting][name] += count
    print(file=sys.stderr)
    return [figures(setting, bursts[setting], counted[setting]) for setting in settings]


def quantile(values: list[float], share: float) -> float:
    """Give the value that this share does not exceed (nearest rank)."""
    rank = max(1, -(-len(values) * share // 1))
    return sorted(values)[int(rank) - 1]


def figures(setting: Setting, bursts: list[Burst], counted: dict[str, float]) -> dict[str, Any]:
    """Give the row of one setting."""
    heard = [burst.heard for burst in bursts]
    lost = [burst.lost for burst in bursts]

    def delay(step: int) -> float:
        values = [burst.delays[step] for burst in bursts if step in burst.delays]
        return statistics.median(values) if values else float("nan")

    # Samples of all lines together.
    minutes = counted["samples"] / 48_000 / 60 or float("nan")
    emitted = counted["emitted"] or float("nan")
    return {
        "scenario": setting.scenario,
        "preroll_ms": setting.preroll_ms,
        "bursts": len(bursts),
        "heard_ms_mean": statistics.mean(heard),
        "heard_ms_p10": quantile(heard, 0.1),
        "lost_at_onset_ms_mean": statistics.mean(lost),
        "lost_at_onset_ms_p90": quantile(lost, 0.9),
        "delay_middle_ms_median": delay(MIDDLE),
        "delay_end_ms_median": delay(LAST),
        "buffer_ms": counted["buffered_seconds"] / emitted * 1_000,
        "target_ms": counted["target_seconds"] / emitted * 1_000,
        "concealed_ms_per_line_minute": (counted["concealed"] - counted["concealed_silent"]) / 48 / minutes,
        "removed_ms_per_line_minute": counted["removed"] / 48 / minutes,
        "inserted_ms_per_line_minute": counted["inserted"] / 48 / minutes,
        "packets_lost": counted["lost"],
        "burst_heard_ms": heard,
        "burst_lost_ms": lost,
        "burst_delays_ms": [burst.delays for burst in bursts],
    }


COLUMNS = {
    "pre-roll": "preroll_ms",
    "heard": "heard_ms_mean",
    "p10": "heard_ms_p10",
    "lost": "lost_at_onset_ms_mean",
    "p90": "lost_at_onset_ms_p90",
    "middle": "delay_middle_ms_median",
    "end": "delay_end_ms_median",
    "buffer": "buffer_ms",
    "target": "target_ms",
    "concealed": "concealed_ms_per_line_minute",
    "removed": "removed_ms_per_line_minute",
    "inserted": "inserted_ms_per_line_minute",
}


def table(rows: list[dict[str, Any]]) -> str:
    """Give the rows for people, all in milliseconds."""
    from conversation import SCENARIOS

    lines = []
    for scenario in dict.fromkeys(row["scenario"] for row in rows):
        lines += [f"\n{scenario}: {SCENARIOS[scenario].text}", " ".join(f"{name:>9}" for name in COLUMNS)]
        for row in rows:
            if row["scenario"] == scenario:
                lines.append(" ".join(f"{row[key]:9.0f}" for key in COLUMNS.values()))
    return "\n".join(lines)


def main() -> None:
    """Measure, print, write."""
    given = arguments()
    with tempfile.TemporaryDirectory(prefix="stoa-onset-") as name:
        folder = Path(name)
        (folder / "stubs").mkdir()
        make_stubs(folder / "stubs")
        with running_daemon(given.stoad.resolve(), folder) as (daemon, given.page):
            rows = asyncio.run(measure(daemon, given))
    print(f"{platform.platform()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    print(table(rows))
    if given.json:
        given.json.write_text("".join(json.dumps(row) + "\n" for row in rows))


if __name__ == "__main__":
    main()
