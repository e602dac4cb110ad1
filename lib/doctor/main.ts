#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { explainFailure, runCommand } from './command-line.ts';

const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
const { version } = JSON.parse(manifest) as { version: string };

const giveUp = (error: unknown): void => {
  process.stderr.write(`${explainFailure(error, version)}\n`);
  process.exit(3);
};
process.on('uncaughtException', giveUp);
// Who reads may go before the end, as `head` does.
process.stdout.on('error', () => {});

runCommand(process.argv.slice(2), {
  env: process.env,
  readStdin: () => text(process.stdin),
  readFile: (path) => readFile(path, 'utf8'),
  print: (output) => process.stdout.write(output),
  version,
}).then((status) => {
  process.exitCode = status;
}, giveUp);
