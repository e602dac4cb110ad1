// Loaded before a program of ours that serves an OP itself, by NODE_OPTIONS: writes what goes over its wire, and must
// not be printed, into the file that SECRETS_OF_WIRE names.
import { appendFileSync } from 'node:fs';
import { watchWire } from './wire-secrets.js';

const file = process.env['SECRETS_OF_WIRE'];
if (file !== undefined) watchWire((secret) => appendFileSync(file, `${secret}\n`));
