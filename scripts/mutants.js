// Finds what can be changed in a source file, and makes one text of it in which every change is asleep:
// `__mutants__` of mutation-environment.js wakes one of them.

import { parseSync } from '@swc/core';

/** Where one comparison is on the edge of another. */
const edges = { '<': '<=', '<=': '<', '>': '>=', '>=': '>' };

/** Calls whose result a login may lean on without saying so. */
const droppedCalls = ['toLowerCase', 'trim', 'flat', 'freeze'];

/** Modules whose options decide what they let through. */
const optionTakers = ['jose', 'openid-client', 'cookie', 'express'];

/**
 * All mutants of a file, and the file with all of them in it. A mutant is
 *
 * - a condition of an `if` or of `a ? b : c` that is always true or always false;
 * - one side of `&&`, `||` or `??` taken for the whole;
 * - a comparison that is off by its edge, `some` for `every` and the other way round;
 * - a statement left out that throws, or that only calls something;
 * - an anchor of a regular expression left out; `toLowerCase()`, `trim()` and the like left out;
 * - an option left out that is passed to a library.
 *
 * @param {string} path
 * @param {Buffer} source
 * @param {number} firstId
 */
export function mutate(path, source, firstId) {
  const ast = parseSync(source.toString(), { syntax: 'typescript', target: 'es2023' });
  // swc counts bytes, and goes on counting from one file to the next.
  const offset = ast.span.start - source.indexOf(firstToken(source));
  const sites = findSites(ast, (span) => [span.start - offset, span.end - offset], source);
  const mutants = [];
  for (const site of sites) {
    for (const replacement of new Set(site.replacements)) {
      const found = source.subarray(site.start, site.end).toString();
      const line = source.subarray(0, site.start).toString().split('\n').length;
      const change = `${oneLine(found)} -> ${replacement === '' ? 'nothing' : oneLine(replacement)}`;
      const id = firstId + mutants.length;
      const key = `${path} ${change}`;
      mutants.push({ id, path, site, replacement, line, key, name: `${path}:${line} ${change}` });
    }
  }
  return { mutants, text: render(source, mutants) };
}

/** @returns places in the order of their start, outer ones first */
function findSites(ast, place, source) {
  const sites = new Map();
  const add = (kind, span, ...replacements) => {
    const [start, end] = place(span);
    const key = `${kind} ${start} ${end}`;
    const site = sites.get(key) ?? { kind, start, end, replacements: [] };
    site.replacements.push(...replacements);
    sites.set(key, site);
  };
  const textOf = (span) => source.subarray(...place(span)).toString();
  const libraries = importsOf(ast);
  visit(ast, undefined, (node, parent) => {
    if (node.type === 'IfStatement' || node.type === 'ConditionalExpression') {
      add('value', node.test.span, 'true', 'false');
    }
    if (node.type === 'BinaryExpression') {
      const { left, right, operator } = node;
      if (['&&', '||', '??'].includes(operator)) {
        add('value', node.span, textOf(left.span), textOf(right.span));
      }
      if (operator in edges) {
        const edge = `${textOf(left.span)} ${edges[operator]} ${textOf(right.span)}`;
        add('value', node.span, edge);
      }
    }
    const isLeftOut = node.type === 'ThrowStatement' && !isAllOf(parent);
    if (isLeftOut || isBareCall(node)) add('statement', node.span, '');
    if (node.type === 'RegExpLiteral') {
      const { pattern, flags } = node;
      if (pattern.startsWith('^')) add('value', node.span, `/${pattern.slice(1)}/${flags}`);
      if (pattern.endsWith('$')) add('value', node.span, `/${pattern.slice(0, -1)}/${flags}`);
      if (flags.includes('i')) add('value', node.span, `/${pattern}/${flags.replace('i', '')}`);
    }
    const call = node.type === 'OptionalChainingExpression' ? node.base : node;
    if (call.type === 'CallExpression') {
      const { object, property } = memberOf(call.callee);
      if (droppedCalls.includes(property?.value)) {
        const [kept] = property.value === 'freeze' ? [call.arguments[0].expression] : [object];
        add('value', node.span, textOf(kept.span));
      }
      const name = property?.value;
      if (name === 'some' || name === 'every') {
        const other = name === 'some' ? 'every' : 'some';
        const [start] = place(node.span);
        const [from, to] = place(property.span);
        const whole = textOf(node.span);
        add('value', node.span, whole.slice(0, from - start) + other + whole.slice(to - start));
      }
    }
    if (node.type === 'CallExpression' || node.type === 'NewExpression') {
      if (!libraries.has(rootOf(node.callee))) return;
      for (const { expression } of node.arguments ?? []) {
        if (expression.type !== 'ObjectExpression') continue;
        for (const property of expression.properties) {
          if (property.type === 'KeyValueProperty') {
            add('property', spanOfProperty(property), '');
          } else if (property.type === 'Identifier') add('property', property.span, '');
        }
      }
    }
  });
  return [...sites.values()].sort((a, b) => a.start - b.start || b.end - a.end);
}

/** Whether a statement is the whole of an `if`: without it the condition might as well be false. */
const isAllOf = (parent) => parent?.type === 'IfStatement' || parent?.stmts?.length === 1;

const isBareCall = ({ type, expression }) => {
  if (type !== 'ExpressionStatement') return false;
  const inner = expression.type === 'AwaitExpression' ? expression.argument : expression;
  return inner.type === 'CallExpression';
};

function memberOf(callee) {
  const inner = callee?.type === 'OptionalChainingExpression' ? callee.base : callee;
  return inner?.type === 'MemberExpression' ? inner : {};
}

/** The first name of `a.b.c`. */
function rootOf(node) {
  if (node?.type === 'MemberExpression') return rootOf(node.object);
  return node?.type === 'Identifier' ? node.value : undefined;
}

/** Names of what a file has from libraries. */
function importsOf(ast) {
  const names = ast.body
    .filter(({ type, source }) => type === 'ImportDeclaration' && isLibrary(source.value))
    .flatMap(({ specifiers }) => specifiers.map(({ local }) => local.value));
  return new Set(names);
}

const isLibrary = (name) => optionTakers.includes(name);

/** swc gives key and value a span each, and none to both. */
const spanOfProperty = ({ key, value }) => ({
  start: key.span.start,
  end: (value.span ?? value.expression.span).end,
});

/** Calls `look` for every node that is code: types are none, and chains with `?.` are one node each. */
function visit(node, parent, look) {
  if (Array.isArray(node)) {
    for (const one of node) visit(one, parent, look);
    return;
  }
  if (node === null || typeof node !== 'object') return;
  if (/^Ts(Type|Interface|Keyword|Function|Union|Literal|Parenthesized)/.test(node.type ?? '')) {
    return;
  }
  if (typeof node.type === 'string') look(node, parent);
  if (node.type === 'OptionalChainingExpression') {
    visitChain(node, look);
    return;
  }
  for (const [name, value] of Object.entries(node)) {
    if (name === 'span' || name === 'typeAnnotation' || name === 'returnType') continue;
    visit(value, node, look);
  }
}

/** Nothing may be put around a part of a chain, as it ends where something is missing; arguments are free. */
function visitChain(node, look) {
  const inner = node.type === 'OptionalChainingExpression' ? node.base : node;
  visit(inner.arguments ?? [], inner, look);
  const next = inner.callee ?? inner.object;
  if (next !== undefined && next !== null && typeof next === 'object') {
    const isChain = ['OptionalChainingExpression', 'MemberExpression', 'CallExpression'];
    if (isChain.includes(next.type)) visitChain(next, look);
  }
}

/** The source with every site put around by its mutants. */
function render(source, mutants) {
  const sites = [...new Set(mutants.map(({ site }) => site))].sort(
    (a, b) => a.start - b.start || b.end - a.end,
  );
  const partOf = (start, end, from) => {
    let text = '';
    let at = start;
    let index = from;
    while (index < sites.length && sites[index].start < end) {
      const site = sites[index];
      const [inner, next] = partOf(site.start, site.end, index + 1);
      text += source.subarray(at, site.start).toString();
      text += wrap(site, inner, mutants);
      at = site.end;
      index = next;
    }
    return [text + source.subarray(at, end).toString(), index];
  };
  return partOf(0, source.length, 0)[0];
}

function wrap(site, text, mutants) {
  const own = mutants.filter((mutant) => mutant.site === site);
  const [{ id }] = own;
  // In a block, or an `else` that follows would be its own.
  if (site.kind === 'statement') return `{ if (!__mutants__.isAwake(${id})) { ${text} } }`;
  if (site.kind === 'property') return `...(__mutants__.isAwake(${id}) ? {} : { ${text} })`;
  if (/\bawait\b/.test(text)) {
    const choices = own.map((one) => `__mutants__.isAwake(${one.id}) ? (${one.replacement}) : `);
    return `(${choices.join('')}(${text}))`;
  }
  const others = own.map((one) => `${one.id}: () => (${one.replacement})`);
  return `__mutants__.value(() => (${text}), { ${others.join(', ')} })`;
}

/** The first thing of a file that is neither space nor comment. */
function firstToken(source) {
  const text = source.toString().replace(/^(\s|\/\*[\s\S]*?\*\/|\/\/[^\n]*\n)*/, '');
  return text.slice(0, 40);
}

const oneLine = (text) => text.replace(/\s+/g, ' ').trim();
