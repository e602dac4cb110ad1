// Changes the protocol in one place at a time, and looks whether a test notices.
//
//   npm run test:mutation                     everything; prints survivors, and fails if there are any
//   npm run test:mutation -- id-token return-to   files whose path contains one of these
//
// All mutants are in one copy of the project, asleep (mutants.js). The tests are run once with none awake:
// that tells which test files come to a mutant, and in which of them it makes a difference there. Then each
// mutant is woken alone, in these files: first in one, those still alive in two more, in four, and so on. A
// survivor has passed all of them.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mutate } from './mutants.js';

/** Test files that one process runs before it gives its memory back. */
const filesPerProcess = 24;

/**
 * Seconds for each of them: a mutant may be a loop without an end, which no test can break off. Where it is known how
 * long a file takes, so many times as long.
 */
const [fileSeconds, patience] = [120, 10];

/** Mutants that are followed to their ends before the next. */
const mutantsAtATime = 150;

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path) => readFileSync(join(root, path), 'utf8');
const filesIn = (folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(root, join(parentPath, name)))
    .sort();

const mutated = [
  ...filesIn('lib/oidc'),
  'lib/http/return-to.ts',
  'lib/http/callback.ts',
  'lib/http/callback-parameters.ts',
  'lib/http/transaction-cookies.ts',
  'lib/http/flow-cookies.ts',
  'lib/http/cookie-bounds.ts',
  'lib/http/long-path-cookie.ts',
  'lib/http/parallel-logins.ts',
];
/** Without the fuzzing of the callback, which finds what nobody thought of, and takes its time. */
const tests = [
  ...['oidc', 'http', 'conformance', 'properties', 'tokens'].flatMap((folder) =>
    filesIn(`test/${folder}`).filter((name) => name.endsWith('.test.ts') && !/fuzz/.test(name)),
  ),
  'test/events.test.ts',
  'test/log.test.ts',
];

/** Changes nothing that can be seen; each with its reason. */
const equivalent = JSON.parse(read('scripts/equivalent-mutants.json'));

/** What is remembered from one run to the next; only how long a run takes depends on it. */
const memoryPath = join(root, 'node_modules/.cache/mutate.json');
const memory = existsSync(memoryPath)
  ? JSON.parse(readFileSync(memoryPath, 'utf8'))
  : { killers: {}, records: {} };

function remember() {
  mkdirSync(join(memoryPath, '..'), { recursive: true });
  writeFileSync(memoryPath, JSON.stringify(memory));
}

const all = [];
const texts = mutated.map((path) => {
  const { mutants, text } = mutate(path, readFileSync(join(root, path)), all.length);
  all.push(...mutants);
  return [path, text];
});

/** A copy of the project with all mutants in it, asleep. */
function copyProject() {
  const copy = mkdtempSync(join(tmpdir(), 'mutate-'));
  const left = ['node_modules', '.git', 'dist', 'coverage'];
  cpSync(root, copy, { recursive: true, filter: (path) => !left.includes(relative(root, path)) });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const [path, text] of texts) writeFileSync(join(copy, path), text);
  return copy;
}

/** Milliseconds that a test file, or the copy of it for a mutant, may take. */
function limitOf(path) {
  const { milliseconds = 0 } = memory.records[path.replace(/\.mutant-\d+/, '')] ?? {};
  return milliseconds === 0 ? fileSeconds * 1000 : milliseconds * patience;
}

/** Runs test files in one process; what came of each, by its path. */
async function runTests(copy, files) {
  const results = mkdtempSync(join(copy, 'results-'));
  const options = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const environment = join(copy, 'scripts/mutation-environment.js');
  const args = ['--runInBand', '--silent', '--testTimeout=60000', '--forceExit'];
  const env = { ...process.env, FUZZ_INPUTS: '500', FUZZ_SEED: '1', MUTATION_RESULTS: results };
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  await new Promise((resolve) => {
    execFile(
      process.execPath,
      [...options, jest, ...args, '--env', environment, '--runTestsByPath', ...files],
      {
        cwd: copy,
        env,
        maxBuffer: 2 ** 28,
        timeout: files.reduce((sum, path) => sum + limitOf(path), 30_000),
        killSignal: 'SIGKILL',
      },
      () => resolve(),
    );
  });
  const lines = readdirSync(results).flatMap((name) =>
    readFileSync(join(results, name), 'utf8').trim().split('\n'),
  );
  rmSync(results, { recursive: true });
  const found = new Map(
    lines.map((line) => {
      const { test, ...result } = JSON.parse(line);
      return [relative(copy, test), result];
    }),
  );
  return found;
}

/** Calls `work` for several items at once. */
async function inParallel(items, work) {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

function inGroups(items, size) {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

/** A test file and what it imports of the tests' own, whatever way. */
function withImports(path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  for (const [, name] of read(path).matchAll(/'(\.\.?\/[^']+\.[jt]s)'/g)) {
    const imported = join(path, '..', name);
    if (imported.startsWith('test/') && existsSync(join(root, imported))) {
      withImports(imported, found);
    }
  }
  return found;
}

/** What each test file comes to, without any mutant awake; anew where something has changed. */
async function recordTests(copy) {
  const common = [...filesIn('lib'), 'scripts/mutants.js', 'scripts/mutate.js'].map(read);
  const hashOf = (test) =>
    createHash('sha256')
      .update(JSON.stringify([...common, ...[...withImports(test)].sort().map(read)]))
      .digest('hex');
  const changed = tests.filter((test) => memory.records[test]?.hash !== hashOf(test));
  process.stderr.write(`${changed.length} of ${tests.length} test files are run as they are\n`);
  await inParallel(inGroups(changed, 6), async (some) => {
    const found = await runTests(copy, some);
    for (const test of some) {
      const result = found.get(test);
      if (result !== undefined && result.failure === undefined) {
        memory.records[test] = { hash: hashOf(test), ...result };
      } else {
        // What fails by itself kills nothing.
        process.stderr.write(`left out: ${test} fails before anything is changed\n`);
        memory.records[test] = { milliseconds: 0, reached: [], different: [] };
      }
    }
    remember();
  });
}

/** How many mutants of each source file each test file has killed. */
function killsByFile() {
  const kills = new Map();
  for (const { path, key } of all) {
    const test = memory.killers[key];
    if (test !== undefined) kills.set(`${path} ${test}`, (kills.get(`${path} ${test}`) ?? 0) + 1);
  }
  return kills;
}

/**
 * The next test files to try a mutant in, of those in which it makes a difference: the one that killed it the last
 * time, those that killed most of its neighbors, the fastest.
 */
function nextFiles({ id, key, path, tried }, count, kills) {
  const rank = (test) => (test === memory.killers[key] ? 1e6 : (kills.get(`${path} ${test}`) ?? 0));
  const { records } = memory;
  return tests
    .filter((test) => !tried.has(test) && records[test].different.includes(id))
    .sort((a, b) => rank(b) - rank(a) || records[a].milliseconds - records[b].milliseconds)
    .slice(0, count);
}

/** The mutants of these that are still alive after the next files of each; none to try, no round. */
async function runRound(copy, alive, count) {
  const kills = killsByFile();
  const runs = alive.flatMap((mutant) =>
    nextFiles(mutant, count, kills).map((test) => ({ mutant, test })),
  );
  if (runs.length === 0) return undefined;
  for (const { mutant, test } of runs) mutant.tried.add(test);
  const dead = new Set();
  await inParallel(inGroups(runs, filesPerProcess), async (group) => {
    const wanted = group.filter(({ mutant }) => !dead.has(mutant));
    const paths = wanted.map(({ mutant, test }) => {
      const path = test.replace(/\.test\.ts$/, `.mutant-${mutant.id}.test.ts`);
      copyFileSync(join(copy, test), join(copy, path));
      return path;
    });
    const found = await runTests(copy, paths);
    for (const [index, { mutant, test }] of wanted.entries()) {
      const path = paths[index];
      // One that takes the process with it leaves those behind it without a result: each then gets its own.
      const result = found.get(path) ?? (await runTests(copy, [path])).get(path);
      rmSync(join(copy, path));
      if (dead.has(mutant) || (result !== undefined && result.failure === undefined)) continue;
      dead.add(mutant);
      memory.killers[mutant.key] = test;
      const reason = (result?.failure ?? 'it ends the process').split('\n')[0];
      process.stderr.write(`killed ${mutant.name} by ${test}: ${reason}\n`);
    }
    remember();
  });
  return alive.filter((mutant) => !dead.has(mutant));
}

/** Those that have passed every test file in which they make a difference. */
async function survivorsOf(copy, mutants) {
  let alive = mutants.map((mutant) => ({ ...mutant, tried: new Set() }));
  for (let count = 1, left = alive; left !== undefined; count *= 2) {
    alive = left;
    left = await runRound(copy, alive, count);
  }
  for (const { id, name } of alive) {
    const isReached = tests.some((test) => memory.records[test].reached.includes(id));
    process.stderr.write(`SURVIVED ${name}${isReached ? '' : ' (no test comes to it)'}\n`);
  }
  return alive;
}

const copy = copyProject();
try {
  await recordTests(copy);
  const wanted = process.argv.slice(2);
  const chosen = all.filter(
    ({ path }) => wanted.length === 0 || wanted.some((part) => path.includes(part)),
  );
  const known = chosen.filter(({ key }) => key in equivalent);
  const survivors = [];
  for (const some of inGroups(
    chosen.filter((mutant) => !known.includes(mutant)),
    mutantsAtATime,
  )) {
    survivors.push(...(await survivorsOf(copy, some)));
  }
  process.stdout.write(
    `${chosen.length} mutants, ${known.length} without effect, ${survivors.length} survivors\n`,
  );
  for (const { name } of survivors) process.stdout.write(`  ${name}\n`);
  process.exitCode = survivors.length > 0 ? 1 : 0;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
