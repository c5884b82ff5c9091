"""``python -m sandbox``: run the sandbox until SIGTERM or SIGINT."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading

from sandbox.settings import read_settings
from sandbox.world import World


def main() -> int:
    """Start, wait for the signal, stop."""
    settings = read_settings()
    try:
        world = World(settings)
    except OSError as error:
        print(f"sandbox: cannot listen on {settings.host}:{settings.port}: {error}", file=sys.stderr)
        return 1
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    world.start()
    # Requests make no reference cycles to speak of; looking for them rarely saves a tenth of the CPU.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    print(f"sandbox: {world.base_url} (control {world.addresses()['control_url']})", flush=True)
    ended.wait()
    world.stop()
    sys.stdout.flush()
    # Threads that still sleep in a fault must not hold the process back; the file is closed already.
    os._exit(0)


if __name__ == "__main__":
    raise SystemExit(main())
