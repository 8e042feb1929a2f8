"""Starts the emulator with the waits that tests would spend their time in made short.

What is set here are the emulator's own values, of the version that requirements.txt pins; a test that comes to miss
one of them runs slowly, not wrongly. The emulator ends with whoever started it, however that ends.
"""

import os
import threading
import time

import ministack.app
from ministack.core.lambda_runtime import ProvidedWorker, Worker
from ministack.services import scheduler

# Seconds between two looks at the schedules: 10 by default.
scheduler._SCHEDULE_TICK_INTERVAL = 1

# After an invocation the worker waits for lines of the function's log: for the first one, for silence, and at most.
Worker._drain_stderr_bounded.__defaults__ = (0.001, 0.001, 0.250)

# The runtime API writes an answer's head and body in two pieces, which Nagle's algorithm and delayed acknowledgements
# turn into 40 ms.
build_handler = ProvidedWorker._build_handler_class


def build_quick_handler(self, *arguments):
    handler = build_handler(self, *arguments)
    handler.disable_nagle_algorithm = True
    handler.wbufsize = -1
    return handler


ProvidedWorker._build_handler_class = build_quick_handler


def end_with(parent):
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
ministack.app.main()
