import { describe, expect, it } from '@jest/globals';
import type { Request, Response } from 'express';
import { createLongPathCookie } from '../../lib/http/long-path-cookie.ts';
import { createTransaction, type Transaction } from '../../lib/oidc/transaction.ts';
import { createSealer } from '../../lib/tokens/seal.ts';
import { opByFetch } from '../support/op-by-fetch.ts';

const { options } = opByFetch({ baseUrl: 'https://app.example/shop', transactionTtlSeconds: 60 });
const cookie = createLongPathCookie(options, createSealer(options.secrets));
const pathOf = (length: number): string => '/'.padEnd(length, 'a');

function begin(returnTo: string): Transaction {
  return createTransaction(options, { responseMode: 'form_post', returnTo, sessionId: undefined });
}

/** What `run` sets, and what it returns. */
function settings<T>(run: (res: Response) => T): { set: string[]; result: T } {
  const set: string[] = [];
  const result = run({
    append: (_name: string, value: string) => set.push(value),
  } as unknown as Response);
  return { set, result };
}

const store = (transaction: Transaction) => settings((res) => cookie.store(res, transaction));
const bringing = (set: readonly string[]): Request =>
  ({ headers: { cookie: set.map((line) => line.split(';')[0]).join('; ') } }) as Request;

describe('a return path', () => {
  it('of 200 characters stays in the cookie of its login', () => {
    expect(store(begin(pathOf(200)))).toEqual({ set: [], result: pathOf(200) });
  });

  it('of one more has a cookie of its own, for the callback, as long as the login', () => {
    const transaction = begin(pathOf(201));
    const { set, result } = store(transaction);
    expect(result).toBe('/shop/');
    expect(set).toEqual([
      expect.stringMatching(
        /^__Secure-oidc\.[\w-]{6}\.path=[\w.-]+; Max-Age=60; Path=\/shop\/callback; HttpOnly; Secure; SameSite=Lax$/,
      ),
    ]);
    expect(cookie.find(bringing(set), transaction.state)).toBe(pathOf(201));
  });

  it('with a long query leaves the page itself to the cookie of its login', () => {
    expect(store(begin(`${pathOf(200)}?${'q'.repeat(10)}`)).result).toBe(pathOf(200));
    expect(store(begin(`${pathOf(10)}#${'f'.repeat(200)}`)).result).toBe(pathOf(10));
    expect(store(begin(`${pathOf(201)}?q`)).result).toBe('/shop/');
  });
});

describe('its cookie', () => {
  it('goes with its own login, and stays with another', () => {
    const own = begin(pathOf(201));
    const other = begin('/');
    const req = bringing(store(own).set);
    const remove = ({ state }: Transaction) =>
      settings((res) => cookie.remove(req, res, state)).set;
    expect(cookie.find(req, other.state)).toBeUndefined();
    expect(remove(other)).toEqual([]);
    expect(remove(own)).toEqual([
      expect.stringMatching(/^__Secure-oidc\.[\w-]{6}\.path=; Max-Age=0; Path=\/shop\/callback;/),
    ]);
  });
});
