#!/usr/bin/env node
// Runs the program of this platform, with the arguments, the streams and the exit code of this one.
"use strict";

const { spawnSync } = require("node:child_process");
const { existsSync } = require("node:fs");
const { join } = require("node:path");

const platform = `${process.platform}-${process.arch}`;
const program = join(__dirname, platform, "meshc");

if (!existsSync(program)) {
  console.error(`error: this package has no meshc for ${platform}: it has those of Linux on x64 and arm64`);
  console.error("  = help: compile it with Rust, `cargo install --path .` in a clone of its sources");
  process.exit(2);
}
const run = spawnSync(program, process.argv.slice(2), { stdio: "inherit" });
if (run.error) {
  console.error(`error: cannot run \`${program}\`: ${run.error.message}`);
  process.exit(2);
}
if (run.signal) {
  process.kill(process.pid, run.signal);
}
process.exit(run.status === null ? 3 : run.status);
