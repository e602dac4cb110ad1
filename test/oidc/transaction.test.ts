import { describe, expect, it } from '@jest/globals';
import {
  createTransaction,
  parseTransaction,
  refuseExpired,
  refuseOtherTenant,
  serializeTransaction,
} from '../../lib/oidc/transaction.ts';
import { opByFetch } from '../support/op-by-fetch.ts';

const { options } = opByFetch({ now: () => 1_800_000_000_000 });

const responseMode = 'form_post' as const;

describe('a transaction', () => {
  it.each([
    [options, { responseMode, returnTo: '/', sessionId: undefined }],
    [
      { ...options, maxAge: 0, acrValues: ['gold'], organization: 'acme' },
      { responseMode, returnTo: '/a', sessionId: 'sid' },
    ],
  ])('comes back from its text whole', (resolved, visitor) => {
    const transaction = createTransaction(resolved, visitor);
    expect(parseTransaction(serializeTransaction(transaction))).toEqual(transaction);
  });

  it('has no fields for tenants and authorization details in the cookie of a login without', () => {
    const visitor = { responseMode, returnTo: '/', sessionId: undefined };
    const lengthOf = (tenant?: string, detailTypes: string[] = []): number => {
      const transaction = createTransaction({ ...options, tenant }, { ...visitor, detailTypes });
      return JSON.parse(serializeTransaction(transaction)).length;
    };
    expect([lengthOf(), lengthOf('acme'), lengthOf(undefined, ['payment'])]).toEqual([12, 13, 14]);
  });

  it('of another version is not read', () => {
    const transaction = createTransaction(options, {
      responseMode,
      returnTo: '/',
      sessionId: undefined,
    });
    const fields = JSON.parse(serializeTransaction(transaction));
    for (const version of [1, 3, '2', null]) {
      expect(parseTransaction(JSON.stringify([version, ...fields.slice(1)]))).toBeUndefined();
    }
  });

  it.each([4, 5])('with a number of no meaning in field %i is not read', (field) => {
    const transaction = createTransaction(options, {
      responseMode,
      returnTo: '/',
      sessionId: undefined,
    });
    for (const value of [-1, 9, null, 'code']) {
      const fields = JSON.parse(serializeTransaction(transaction));
      fields[field] = value;
      expect(parseTransaction(JSON.stringify(fields))).toBeUndefined();
    }
  });

  it('is good to the last second, and no longer', () => {
    const transaction = createTransaction(options, {
      responseMode,
      returnTo: '/',
      sessionId: undefined,
    });
    const waiting = (seconds: number) => () =>
      refuseExpired(transaction, {
        transactionTtlSeconds: 600,
        now: () => options.now() + seconds * 1000,
      });
    expect(waiting(600)).not.toThrow();
    expect(waiting(600.001)).toThrow(
      expect.objectContaining({ code: 'ERR_OIDC_TRANSACTION_EXPIRED' }),
    );
  });
});

describe('the state of a login', () => {
  const stateOf = (tenant?: string): string =>
    createTransaction({ ...options, tenant }, { responseMode, returnTo: '/', sessionId: undefined })
      .state;

  it('is 256 bits, and names the tenant, where there is one', () => {
    expect(stateOf()).toMatch(/^[\w-]{43}$/);
    expect(stateOf('acme')).toMatch(/^[\w-]{43}~acme$/);
  });

  it('that names no tenant is refused for none', () => {
    for (const tenant of ['acme', undefined]) {
      expect(() => refuseOtherTenant(stateOf(), { tenant })).not.toThrow();
    }
  });

  it('of one tenant is refused to another only', () => {
    expect(() => refuseOtherTenant(stateOf('acme'), { tenant: 'acme' })).not.toThrow();
    expect(() => refuseOtherTenant(stateOf('acme'), { tenant: 'other' })).toThrow(
      expect.objectContaining({ code: 'ERR_OIDC_TENANT_MISMATCH' }),
    );
  });
});
