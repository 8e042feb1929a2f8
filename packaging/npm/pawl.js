#!/usr/bin/env node
// Runs the binary of this platform, which stands in an optional dependency, and ends as it ends.
"use strict";

const { spawn } = require("node:child_process");
const { constants } = require("node:os");

const name = `pawl-cli-${process.platform}-${process.arch}`;

let binary;
try {
  binary = require.resolve(`${name}/pawl`);
} catch {
  console.error(
    `error: pawl has no binary for ${process.platform}-${process.arch} here: expected the package ${name}. ` +
      "Install without --omit=optional, or build it from source.",
  );
  process.exit(2);
}

const child = spawn(binary, process.argv.slice(2), { stdio: "inherit" });
child.on("error", (error) => {
  console.error(`error: ${binary} cannot be run: ${error.message}`);
  process.exit(2);
});
// A terminal sends its signals to both; who asks only this process to end means the binary.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => child.kill(signal));
}
child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
