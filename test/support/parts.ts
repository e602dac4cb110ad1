import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from '@jest/globals';

/** A program that some tests need, and that npm does not install. */
export type Part = 'redis-server' | 'chromium' | 'firefox-esr' | 'openssl' | 'postgres';

/** Where Debian has a folder of programs for each version of PostgreSQL, which no PATH names. */
const postgresFolder = '/usr/lib/postgresql';

/** Where a program is, or `undefined` where it is not installed. */
export function findPart(part: Part): string | undefined {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  const folders = part === 'postgres' ? [...onPath, ...postgresFolders()] : onPath;
  return folders.map((folder) => join(folder, part)).find(isProgram);
}

/**
 * Where a program is.
 *
 * @throws Error that says which Debian package has it
 */
export function requirePart(part: Part): string {
  const path = findPart(part);
  if (path === undefined) throw new Error(`this needs ${part}; ${advice(part)}`);
  return path;
}

/**
 * `describe` for tests that need a program. Where it is missing they are skipped, with a line on
 * stderr; where everything is required (`CI` or `REQUIRE_ALL_PARTS` is set), that is a failure.
 */
export function describeWithParts(parts: readonly Part[], name: string, body: () => void): void {
  const part = parts.find((candidate) => findPart(candidate) === undefined);
  if (part === undefined) {
    describe(name, body);
  } else if (process.env['CI'] || process.env['REQUIRE_ALL_PARTS']) {
    describe(name, () => {
      it(`has ${part}`, () => {
        requirePart(part);
      });
    });
  } else {
    process.stderr.write(`SKIPPED: ${name} (needs ${part}; ${advice(part)})\n`);
    describe.skip(name, body);
  }
}

/** The newest version first. */
function postgresFolders(): string[] {
  try {
    const versions = readdirSync(postgresFolder).sort((one, other) => Number(other) - Number(one));
    return versions.map((version) => join(postgresFolder, version, 'bin'));
  } catch {
    return [];
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function advice(part: Part): string {
  // Debian names the other packages after their programs.
  return `install Debian's package ${part === 'postgres' ? 'postgresql' : part}`;
}
