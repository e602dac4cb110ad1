import { describe, expect, it } from '@jest/globals';
import type { Request, Response } from 'express';
import { createTransactionCookies } from '../../lib/http/transaction-cookies.ts';
import { createTransaction, type Transaction } from '../../lib/oidc/transaction.ts';
import { createSealer } from '../../lib/tokens/seal.ts';
import { opByFetch } from '../support/op-by-fetch.ts';

const { options } = opByFetch({ maxTransactions: 2 });
const cookies = createTransactionCookies(options, createSealer(options.secrets));
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

describe('cookies of logins under way', () => {
  it('of a login that has one already is renewed, and costs no other its place', () => {
    const [one, two] = [begin(), begin()];
    const had = [...store(one), ...store(two)];
    const set = store(one, had);
    expect(set).toHaveLength(1);
    expect(set[0]?.split('=')[0]).toBe(had[0]?.split('=')[0]);
    expect(set[0]).not.toContain('Max-Age=0');
  });

  it('above the bound give way to a new one', () => {
    const had = [begin(), begin()].flatMap((transaction) => store(transaction));
    const set = store(begin(), had);
    expect(set.map((cookie) => cookie.includes('Max-Age=0'))).toEqual([true, false]);
  });
});
