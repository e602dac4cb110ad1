#!/usr/bin/env node
import { text } from 'node:stream/consumers';
import { runCommand } from './command-line.ts';

runCommand(process.argv.slice(2), {
  env: process.env,
  readStdin: () => text(process.stdin),
  print: (output) => process.stdout.write(output),
}).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
