"""Starts the emulator with the waits that tests would spend their time in made short.

What is set here are the emulator's own values, of the version that requirements.txt pins; a test that comes to miss
one of them runs slowly, not wrongly. The emulator ends with whoever started it, however that ends.
"""

import os
import threading
import time

import ministack.app
from ministack.core.lambda_runtime import ProvidedWorker, Worker
from ministack.services import lambda_svc, scheduler

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


# The emulator knows no batching window of streams. A mapping that has one rests for so long after each look at its stream.
poll_streams = lambda_svc._poll_dynamodb_streams


def poll_streams_with_windows():
    processed = poll_streams()
    for account, region, mapping in lambda_svc._iter_all_esms():
        window = int(mapping.get("MaximumBatchingWindowInSeconds") or 0)
        if window == 0 or ":dynamodb:" not in mapping.get("EventSourceArn", ""):
            continue
        of_account = lambda_svc._request_account_id.set(account)
        of_region = lambda_svc._request_region.set(region)
        if lambda_svc._esm_backoff_until.get(mapping["UUID"], 0) <= time.time():
            lambda_svc._esm_backoff_until[mapping["UUID"]] = time.time() + window
        lambda_svc._request_account_id.reset(of_account)
        lambda_svc._request_region.reset(of_region)
    return processed


lambda_svc._poll_dynamodb_streams = poll_streams_with_windows


def end_with(parent):
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
ministack.app.main()
