import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as library from 'passport-oidc-hybrid';

const root = new URL('..', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const codesIn = (text: string): string[] =>
  [...new Set(text.match(/ERR_OIDC_[A-Z_]+[A-Z]/g))].sort();

const listed = codesIn(read('lib/errors.ts').split('export abstract class')[0] ?? '');

describe('error codes', () => {
  it('have a row each in docs/errors.md, and no row is left over', () => {
    const rows = [...read('docs/errors.md').matchAll(/^\| `(ERR_OIDC_\w+)` \|/gm)].map(
      ([, code]) => code,
    );
    expect(rows.sort()).toEqual(listed);
  });

  it('have a test each', () => {
    const tests = readdirSync(new URL('test', root), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.test.ts'))
      .map((path) => read(`test/${path}`))
      .join('\n');
    const untested = listed.filter((code) => {
      const short = code.replace('ERR_OIDC_', '').replace('ID_TOKEN_', '');
      return (
        !tests.includes(code) &&
        !tests.includes(`'${code.replace('ERR_OIDC_', '')}'`) &&
        !tests.includes(`'${short}'`)
      );
    });
    expect(untested).toEqual([]);
  });
});

describe('errors', () => {
  it('carry a name, a code and a status', () => {
    const error = new library.ValidationError('ERR_OIDC_ISS_MISMATCH', 'RFC 9207 2.4', 'message');
    expect(error).toBeInstanceOf(library.HybridFlowError);
    expect(error).toMatchObject({ name: 'ValidationError', status: 400, section: 'RFC 9207 2.4' });
    const cause = Object.assign(new Error('down'), { code: 'EDOWN', command: ['SET', 'secret'] });
    const { cause: shown, status } = new library.SessionStoreError(cause);
    expect([status, shown]).toMatchObject([503, { message: 'down', code: 'EDOWN' }]);
    expect(shown).not.toHaveProperty('command');
  });
});
