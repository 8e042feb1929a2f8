"""Asks a small language model by a workflow, and checks that no doubtful answer passes for a good one.

    python run.py PAWL

PAWL is the program. The model answers badly, and that is the point: each answer must be whole and fit, or be an error.
Nothing is said of how good answers are.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
KINDS = {"bug", "question", "praise"}
MESSAGES = ["The save button crashes.", "How do I export my data?", "Lovely work, thank you!"]


def started(command, ready, **options):
    """Starts a program and waits for the line that begins with `ready`; returns both."""
    program = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, **options)
    for line in program.stdout:
        if line.startswith(ready):
            return program, line.strip()
    raise SystemExit(f"{command[0]} ended before it was ready")


def call(method, url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def run(address, message):
    start = {"values": {"message": message}}
    execution = call("POST", f"{address}/v1/workflows/honest/start", start)["execution_id"]
    deadline = time.monotonic() + 900
    while time.monotonic() < deadline:
        try:
            found = call("GET", f"{address}/v1/executions/{execution}")
        except urllib.error.HTTPError as error:
            # The start was accepted, and no worker has taken it up yet.
            assert error.code == 404, error
            found = {"status": "accepted"}
        if found["status"] in ("completed", "failed", "canceled", "paused"):
            return found
        time.sleep(1)
    raise SystemExit("the execution did not end in time")


def told(step):
    error = step.get("error")
    return error["code"] if error else json.dumps(step["output"])[:160]


def check(steps):
    """What must be true of any model."""
    assert steps["cut"]["error"]["code"] == "model_answer_cut", steps["cut"]
    for name, codes in (("whole", ["cut", "empty"]), ("fields", ["cut", "empty", "invalid"])):
        error = steps[name].get("error")
        assert error is None or error["code"] in [f"model_answer_{code}" for code in codes], steps[name]
    if not steps["fields"].get("error"):
        answer = steps["fields"]["output"]
        assert set(answer) == {"reason", "kind", "confidence"} and answer["kind"] in KINDS, answer
        assert 0 <= answer["confidence"] <= 1, answer


def main():
    model, url = started([sys.executable, os.path.join(HERE, "server.py")], "http", stderr=subprocess.DEVNULL)
    variables = {"PAWL_MODEL_URL": url, "PAWL_MODEL_NAME": "smollm2-135m-instruct"}
    with tempfile.TemporaryDirectory() as data:
        command = [sys.argv[1], "dev", HERE, "--port", "0", "--data", data]
        pawl, ready = started(command, "ready on", env={**os.environ, **variables})
        try:
            for message in MESSAGES:
                steps = run(ready.split()[-1], message)["steps"]
                print(message, *(f"{name}: {told(steps[name])}" for name in ("whole", "cut", "fields")), sep="\n  ")
                check(steps)
        finally:
            pawl.terminate()
            pawl.wait()
            model.terminate()
            model.wait()
    print("no doubtful answer passed")


if __name__ == "__main__":
    main()
