import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Request, Response } from 'express';
import type { CommonOptions } from 'passport-oidc-hybrid';
import {
  createTransactionCookies,
  type TransactionCookies,
} from '../../lib/http/transaction-cookies.ts';
import { createTransaction, type Transaction, transactionId } from '../../lib/oidc/transaction.ts';
import { createSealer } from '../../lib/tokens/seal.ts';
import { opByFetch } from '../support/op-by-fetch.ts';

const { options } = opByFetch({ maxTransactions: 2 });
let cookies: TransactionCookies;
beforeEach(() => {
  cookies = createTransactionCookies(options, createSealer(options.secrets));
});
const begin = (): Transaction =>
  createTransaction(options, { responseMode: 'form_post', returnTo: '/', sessionId: 'sid' });

/** Cookies that are set for a browser which has some already. */
function store(transaction: Transaction, had: readonly string[] = []): string[] {
  const set: string[] = [];
  const res = { append: (_name: string, value: string) => set.push(value) };
  const req = { headers: { cookie: had.map((cookie) => cookie.split(';')[0]).join('; ') } };
  cookies.store(req as Request, res as unknown as Response, transaction);
  return set;
}

it('the cookie of a long return path goes with that of its login', () => {
  const transaction = { ...begin(), returnTo: '/'.padEnd(201, 'a') };
  const brought = store(transaction).map((cookie) => cookie.split(';')[0]);
  expect(brought).toHaveLength(2);
  const expired: string[] = [];
  const res = { append: (_name: string, value: string) => expired.push(value) };
  const req = { headers: { cookie: brought.join('; ') } } as Request;
  cookies.remove(req, res as unknown as Response, transaction.state);
  const namesOf = (lines: readonly (string | undefined)[]) =>
    lines.map((line) => line?.split('=')[0]).sort();
  expect(namesOf(expired)).toEqual(namesOf(brought));
});

it('logins begun one after the other expire one older cookie each, and none twice', () => {
  const jar = new Map<string, string>();
  const settings = Array.from({ length: 6 }, () => {
    const set = store(
      begin(),
      [...jar].map(([name, value]) => `${name}=${value}`),
    );
    for (const line of set) {
      const [, name = '', value = ''] = /^([^=]*)=([^;]*)/.exec(line) ?? [];
      if (value === '') jar.delete(name);
      else jar.set(name, value);
    }
    return set.length;
  });
  expect(settings).toEqual([1, 1, 2, 2, 2, 2]);
});

describe('their name and attributes', () => {
  const cookieOf = (oidc: Partial<CommonOptions>): string => {
    const resolved = opByFetch(oidc).options;
    const set: string[] = [];
    const res = { append: (_name: string, value: string) => set.push(value) };
    createTransactionCookies(resolved, createSealer(resolved.secrets)).store(
      { headers: {} } as Request,
      res as unknown as Response,
      begin(),
    );
    return (set[0] ?? '').replace(/=[^;]*/, '').replace(/\.[\w-]{6}\.tx\.[\w-]{16}/, '.TX');
  };

  it.each<[string, Partial<CommonOptions>]>([
    ['__Host-oidc.TX; Max-Age=600; Path=/; HttpOnly; Secure; SameSite=Lax', {}],
    ['oidc.TX; Max-Age=600; Path=/; HttpOnly; SameSite=Lax', { baseUrl: 'http://localhost:1' }],
    [
      '__Host-shop.TX; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Lax',
      { transactionCookie: { name: 'shop' }, transactionTtlSeconds: 60 },
    ],
    [
      '__Secure-oidc.TX; Max-Age=600; Path=/shop; HttpOnly; Secure; SameSite=Lax',
      { baseUrl: 'https://app.example/shop/', transactionCookie: { path: '/shop' } },
    ],
    [
      '__Secure-oidc.TX; Max-Age=600; Domain=example.org; Path=/; HttpOnly; Secure; SameSite=Lax',
      { baseUrl: 'https://app.example.org', transactionCookie: { domain: 'example.org' } },
    ],
    [
      'oidc.TX; Max-Age=600; Path=/shop; HttpOnly; SameSite=Lax',
      { baseUrl: 'http://localhost:1/shop/eu', transactionCookie: { path: '/shop' } },
    ],
  ])('%s', (expected, oidc) => {
    expect(cookieOf(oidc)).toBe(expected);
  });

  it('go with the cookie of a login that is over, or it would not be deleted', () => {
    const set: string[] = [];
    const resolved = opByFetch({
      baseUrl: 'https://app.example.org/shop',
      transactionCookie: { path: '/shop', domain: 'app.example.org' },
    }).options;
    createTransactionCookies(resolved, createSealer(resolved.secrets)).remove(
      { headers: {} } as Request,
      { append: (_name: string, value: string) => set.push(value) } as unknown as Response,
      'state',
    );
    expect(set).toEqual([
      expect.stringContaining('=; Max-Age=0; Domain=app.example.org; Path=/shop; HttpOnly; Secure'),
    ]);
  });
});

describe('cookies of logins under way', () => {
  it('of a login that has one already is renewed, and costs no other its place', () => {
    const [one, two] = [begin(), begin()];
    const had = [...store(one), ...store(two)];
    const set = store(one, had);
    expect(set).toHaveLength(1);
    expect(set[0]?.split('=')[0]).toBe(had[0]?.split('=')[0]);
    expect(set[0]).not.toContain('Max-Age=0');
  });

  it.each([
    [1, 6],
    [50, 5],
    [100, 4],
    [200, 3],
    // Longer ones share one cookie, which goes to the callback only.
    [201, 6],
    [2048, 6],
  ])('with return paths of %i characters stay under 2 KB in all: %i of them', (length, count) => {
    const { options: many } = opByFetch({ maxTransactions: 60 });
    const sealer = createSealer(many.secrets);
    const jar = new Map<string, string>();
    const header = (): string => [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    for (let begun = 0; begun < 60; begun += 1) {
      const visitor = {
        ...begin(),
        returnTo: '/'.padEnd(length, 'a'),
        sessionId: 'x'.repeat(32),
      };
      const transaction = { ...visitor, startedAt: visitor.startedAt + begun };
      const res = {
        append(_name: string, cookie: string) {
          const [, name = '', value = ''] = /^([^=]*)=([^;]*)/.exec(cookie) ?? [];
          if (!cookie.includes('Path=/;')) return;
          if (value === '') jar.delete(name);
          else jar.set(name, value);
        },
      };
      const req = { headers: { cookie: header() } } as Request;
      createTransactionCookies(many, sealer).store(req, res as unknown as Response, transaction);
      expect(header().length).toBeLessThan(2048);
      // The newest is always there.
      expect([...jar.keys()].at(-1)).toContain(transactionId(transaction.state));
    }
    expect(jar.size).toBe(count);
  });

  it.each([
    [0, 1],
    [1, 2],
  ])('may have 2000 bytes in all; with %i more the older one goes', (more, expected) => {
    const transaction = begin();
    const [own = ''] = (store(transaction)[0] ?? '').split(';');
    const name = own.replace(/=.*/, '').replace(/[\w-]{16}$/, 'x'.repeat(16));
    // Behind each of the two stands "=", and "; " between it and the next.
    const room = 2000 - (own.length + 2) - (name.length + 3);
    const other = `${name}=${'1.'.padEnd(room + more, 'x')}`;
    expect(store(transaction, [other])).toHaveLength(expected);
  });

  it.each([
    ['a longer end', (name: string) => `${name}x`],
    ['something before the end', (name: string) => name.replace(/.{16}$/, '.$&')],
    ['another beginning', (name: string) => name.replace('oidc', 'odic')],
  ])('are told from cookies of others, whose names have %s', (_what, change) => {
    const others = [begin(), begin(), begin()].map((one) => {
      const [name = '', value = ''] = (store(one)[0] ?? '').split(/[=;]/);
      return `${change(name)}=${value}`;
    });
    expect(store(begin(), others)).toHaveLength(1);
  });

  it.each(['as they came', 'the other way round'])(
    'above the bound give way from the oldest on, wherever they stand: %s',
    (order) => {
      const at = (startedAt: number): string => store({ ...begin(), startedAt })[0] ?? '';
      const nameOf = (cookie = ''): string => cookie.replace(/=.*/, '');
      const [old, recent, broken] = [at(1_000), at(2_000_000_000), at(3_000_000_000)];
      const unreadable = `${nameOf(broken)}=!`;
      const gone = (had: string[]): string[] => {
        cookies = createTransactionCookies(options, createSealer(options.secrets));
        return store(begin(), order === 'as they came' ? had : had.reverse())
          .filter((cookie) => cookie.includes('Max-Age=0'))
          .map(nameOf);
      };
      expect(gone([old, recent])).toEqual([nameOf(old)]);
      expect(gone([old, unreadable])).toEqual([nameOf(unreadable)]);
    },
  );

  it('above the bound give way to a new one', () => {
    const had = [begin(), begin()].flatMap((transaction) => store(transaction));
    const set = store(begin(), had);
    expect(set.map((cookie) => cookie.includes('Max-Age=0'))).toEqual([true, false]);
  });
});

describe('a cookie that is missing', () => {
  const explain = (transaction: Transaction, cookie: string | undefined): unknown =>
    cookies.explainMissing({ headers: { cookie } } as Request, transaction.state);
  const nameOf = (transaction: Transaction): string =>
    (store(transaction)[0] ?? '').replace(/=.*/, '');

  it('is told by its name, with what may have become of it', () => {
    const transaction = begin();
    const name = nameOf(transaction);
    const other = `${nameOf(begin())}=x`;
    const reason = (text: string): object => ({ name, reason: expect.stringContaining(text) });
    expect(explain(transaction, undefined)).toEqual(reason('sent no cookie at all'));
    expect(explain(transaction, other)).toEqual(reason('sent other cookies'));
    expect(explain(transaction, `${other}; ${name}=x`)).toEqual(reason('no "secret" opens it'));
  });

  it.each([undefined, 'a=b', 'x'])('is none of a browser that sends %s', (cookie) => {
    const transaction = begin();
    expect(cookies.find({ headers: { cookie } } as Request, transaction.state)).toBeUndefined();
    expect(cookies.underWay({ headers: { cookie } } as Request)).toEqual([]);
  });

  it('is found among others, and all that are under way, but for what does not open', () => {
    const [one, two] = [begin(), begin()];
    const pair = (transaction: Transaction): string =>
      (store(transaction)[0] ?? '').replace(/;.*/, '');
    const header = [pair(one), pair(two), `${nameOf(begin())}=1.x`, 'a=b'].join('; ');
    const req = { headers: { cookie: header } } as Request;
    expect(cookies.find(req, two.state)).toEqual(two);
    expect(cookies.underWay(req)).toEqual([one, two]);
  });
});
