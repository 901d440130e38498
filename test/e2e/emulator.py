"""Runs the emulator for as long as somebody holds the other end of standard input.

The driver may be killed without a chance to clean up; the pipe then closes, and the emulator goes with all of the
Lambda processes it started: they share its process group, which the driver made for it.
"""

import os
import runpy
import signal
import threading


def stop_with_driver():
    # Not by sys.stdin: its lock would be held while the interpreter ends.
    while os.read(0, 1024):
        pass
    os.killpg(0, signal.SIGKILL)


threading.Thread(target=stop_with_driver, daemon=True).start()
runpy.run_module("ministack", run_name="__main__")
