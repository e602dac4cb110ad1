// Takes each check out of the code in turn, and looks whether a test notices.
//
//   npm run test:mutation                     everything; prints survivors, and fails if there are any
//   npm run test:mutation -- id-token.ts      files whose path contains this
//
// A check is an `if` that refuses (throws, or returns undefined, false or a refusal), each part of
// its condition, a condition of `a ? b : c` that chooses between something and undefined, a call of a
// check for its own sake, and each part of a `return a && b` or `return a || b`. Tests run in copies of the
// project, two at a time. Which tests are run for a check is found by coverage: those that come to the
// lines it stands on.

import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from '@swc/core';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = [
  ...readdirSync(join(root, 'lib/oidc')).map((name) => `lib/oidc/${name}`),
  'lib/http/return-to.ts',
  'lib/http/cookie-bounds.ts',
  'lib/http/flow-cookies.ts',
  'lib/http/transaction-cookies.ts',
  'lib/http/callback-parameters.ts',
  'lib/http/callback.ts',
].filter((path) => process.argv.slice(2).every((part) => path.includes(part)));

/** Changes nothing that can be seen; each with its reason. */
const equivalent = JSON.parse(readFileSync(join(root, 'scripts/equivalent-mutants.json'), 'utf8'));

/** Every mutant of a file: what is put in place of a part of its text. */
function mutantsOf(path) {
  const source = readFileSync(join(root, path));
  const ast = parseSync(source.toString(), { syntax: 'typescript', target: 'es2023' });
  // swc counts bytes, and goes on counting from one file to the next.
  const offset = ast.span.start - source.indexOf(firstToken(source));
  const mutants = [];
  const textOf = ({ start, end }) => source.subarray(start - offset, end - offset).toString();
  const add = (span, replacement, lines = span) => {
    const start = span.start - offset;
    const end = span.end - offset;
    const line = lineAt(source, start);
    const found = source.subarray(start, end).toString();
    mutants.push({
      path,
      start,
      end,
      replacement,
      line,
      lines: [lineAt(source, lines.start - offset), lineAt(source, lines.end - offset)],
      name: `${path}:${line} ${oneLine(found)} -> ${replacement === '' ? 'nothing' : oneLine(replacement)}`,
      key: `${path} ${oneLine(found)} -> ${oneLine(replacement)}`,
    });
  };
  const operands = (node, lines) => {
    if (node.type === 'ParenthesisExpression') return operands(node.expression, lines);
    if (node.type !== 'BinaryExpression' || !['&&', '||'].includes(node.operator)) return;
    add(node.span, textOf(node.left.span), lines);
    add(node.span, textOf(node.right.span), lines);
    operands(node.left, lines);
    operands(node.right, lines);
  };
  visit(ast, (node) => {
    if (node.type === 'IfStatement') {
      const isRefusal = refuses(node.consequent);
      const isPass = passes(node.consequent);
      if (isRefusal) add(node.test.span, 'false', node.span);
      if (isPass) add(node.test.span, 'true', node.span);
      if (isRefusal || isPass) operands(node.test, node.span);
    }
    if (node.type === 'ConditionalExpression' && choosesUndefined(node)) {
      add(node.test.span, 'true', node.span);
      add(node.test.span, 'false', node.span);
      operands(node.test, node.span);
    }
    if (node.type === 'ReturnStatement' && node.argument) operands(node.argument, node.span);
    if (node.type === 'ExpressionStatement' && isCheck(node.expression)) add(node.span, ';');
  });
  return mutants;
}

const isCheck = ({ type, callee }) =>
  type === 'CallExpression' && /^(check|refuse)[A-Z]/.test(callee.value ?? '');

function refuses(node) {
  if (node.type === 'ThrowStatement') return true;
  if (node.type === 'ReturnStatement') {
    const { argument } = node;
    return (
      argument?.type === 'Identifier' ||
      argument?.type === 'CallExpression' ||
      argument?.type === 'BooleanLiteral'
    );
  }
  return node.type === 'BlockStatement' && node.stmts.some(refuses);
}

/** `if (isMatch) return;` and `continue` in front of a refusal. */
const passes = (node) =>
  (node.type === 'ReturnStatement' && node.argument == null) || node.type === 'ContinueStatement';

const choosesUndefined = ({ consequent, alternate }) =>
  [consequent, alternate].some(({ type, value }) => type === 'Identifier' && value === 'undefined');

function visit(node, look) {
  if (Array.isArray(node)) for (const one of node) visit(one, look);
  else if (node !== null && typeof node === 'object') {
    if (typeof node.type === 'string') look(node);
    for (const [name, value] of Object.entries(node)) if (name !== 'span') visit(value, look);
  }
}

/** The first thing of a file that is neither space nor comment. */
function firstToken(source) {
  const text = source.toString().replace(/^(\s|\/\*[\s\S]*?\*\/|\/\/[^\n]*\n)*/, '');
  return text.slice(0, 40);
}

const lineAt = (source, at) => source.subarray(0, at).toString().split('\n').length;
const oneLine = (text) => text.replace(/\s+/g, ' ').trim();

/** A copy of the project in which files can be changed. */
function copyProject() {
  const copy = mkdtempSync(join(tmpdir(), 'mutate-'));
  const left = ['node_modules', '.git', 'dist', 'coverage'];
  cpSync(root, copy, { recursive: true, filter: (path) => !left.includes(relative(root, path)) });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Whether all tests of these files pass. */
function runTests(cwd, tests, more = []) {
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  const options = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest];
  const args = ['--runInBand', '--bail', '--silent', '--testTimeout=20000', '--forceExit'];
  const env = { ...process.env, FUZZ_INPUTS: '500', FUZZ_SEED: '1' };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...options, ...args, ...more, '--runTestsByPath', ...tests],
      { cwd, env, timeout: 300_000, maxBuffer: 2 ** 26 },
      (error) => resolve(error === null),
    );
  });
}

/** For each test file, the lines of the code that it comes to. */
async function coverageOf(copy, test) {
  const directory = join(copy, 'coverage', test.replaceAll('/', '_'));
  const options = ['--coverage', '--coverageReporters=json', `--coverageDirectory=${directory}`];
  const isGreen =
    (await runTests(copy, [test], options)) || (await runTests(copy, [test], options));
  if (!isGreen) throw new Error(`${test} fails before anything was changed`);
  const report = JSON.parse(readFileSync(join(directory, 'coverage-final.json'), 'utf8'));
  const covered = new Map();
  for (const [path, { statementMap, s }] of Object.entries(report)) {
    const lines = new Set();
    for (const [id, { start }] of Object.entries(statementMap))
      if (s[id] > 0) lines.add(start.line);
    covered.set(relative(copy, path), lines);
  }
  return covered;
}

/** Calls `work` for each item, in every copy at once. */
async function inCopies(copies, items, work) {
  const waiting = [...items];
  await Promise.all(
    copies.map(async (copy) => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
        await work(copy, item);
      }
    }),
  );
}

const tests = ['oidc', 'http', 'conformance', 'properties', 'tokens'].flatMap((folder) =>
  readdirSync(join(root, 'test', folder), { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/${folder}/${name}`),
);
const copies = [copyProject(), copyProject()];
try {
  const covered = new Map();
  const seconds = new Map();
  await inCopies(copies, tests, async (copy, test) => {
    const begun = Date.now();
    covered.set(test, await coverageOf(copy, test));
    seconds.set(test, Date.now() - begun);
  });

  const all = files.flatMap(mutantsOf);
  const known = all.filter(({ key }) => key in equivalent);
  const survivors = [];
  let done = 0;
  await inCopies(
    copies,
    all.filter((mutant) => !known.includes(mutant)),
    async (copy, mutant) => {
      // Every line of the check, so the refusal itself: whoever never comes to it cannot miss it.
      const score = (test) => {
        const lines = covered.get(test)?.get(mutant.path) ?? new Set();
        let hits = 0;
        for (let line = mutant.lines[0]; line <= mutant.lines[1]; line += 1)
          hits += lines.has(line);
        return hits;
      };
      const able = tests.filter((test) => score(test) > 0);
      // Those that come to the most of it first, and of these the fastest.
      able.sort((a, b) => score(b) - score(a) || seconds.get(a) - seconds.get(b));
      const source = readFileSync(join(copy, mutant.path));
      const path = join(copy, mutant.path);
      writeFileSync(
        path,
        Buffer.concat([
          source.subarray(0, mutant.start),
          Buffer.from(mutant.replacement),
          source.subarray(mutant.end),
        ]),
      );
      let isAlive = true;
      for (let at = 0; at < able.length && isAlive; at += 6) {
        isAlive = await runTests(copy, able.slice(at, at + 6));
      }
      writeFileSync(path, source);
      done += 1;
      if (isAlive) survivors.push(mutant);
      process.stderr.write(
        `${done}/${all.length - known.length} ${isAlive ? 'SURVIVED' : 'killed'} ${mutant.name}\n`,
      );
    },
  );

  process.stdout.write(
    `${all.length} mutants, ${known.length} without effect, ${survivors.length} survivors\n`,
  );
  for (const { name } of survivors) process.stdout.write(`  ${name}\n`);
  process.exitCode = survivors.length > 0 ? 1 : 0;
} finally {
  for (const copy of copies) rmSync(copy, { recursive: true, force: true });
}
