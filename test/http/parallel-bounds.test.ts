import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { createParallelLogins, type ParallelLogins } from '../../lib/http/parallel-logins.ts';
import { type Clock, startClock } from '../support/clock.ts';

let clock: Clock;
let logins: ParallelLogins;
beforeEach(() => {
  clock = startClock();
  const options = { maxTransactions: 2, now: clock.now };
  logins = createParallelLogins(options, (name) => name.startsWith('tx.'));
});

/** Begins a login without the cookies of others. @returns names of cookies that have to go */
function begin(name: string, { ip = '127.0.0.1', cookie }: { ip?: string; cookie?: string } = {}) {
  const req = { ip, headers: { cookie } } as unknown as Request;
  return logins.add(req, { name: `tx.${name}`, bytes: 100, startedAt: clock.now() }, 2000);
}

describe('logins that a browser begins at once', () => {
  it('make the oldest give way', () => {
    expect([begin('a'), begin('b'), begin('c')]).toEqual([[], [], ['tx.a']]);
  });

  it.each([
    [10, ['tx.a']],
    [10.001, []],
  ])('count for 10 seconds: after %d it is %j', (seconds, gone) => {
    begin('a');
    begin('b');
    clock.advance(seconds);
    expect(begin('c')).toEqual(gone);
  });

  it('are those of browsers that are alike: the cookies of others tell them apart', () => {
    begin('a', { cookie: 'sid=1' });
    begin('b', { cookie: 'sid=1' });
    expect(begin('c', { cookie: 'sid=2' })).toEqual([]);
    expect(begin('d', { cookie: 'sid=1' })).toEqual(['tx.a']);
  });

  it('count no longer once they have ended, each by itself', () => {
    begin('a');
    begin('b');
    logins.forget(['tx.a']);
    expect(begin('c')).toEqual([]);
    expect(begin('d')).toEqual(['tx.b']);
  });

  it('may end when their browser is remembered no more', () => {
    begin('a');
    for (let other = 0; other < 1000; other += 1) begin(`o${other}`, { ip: `10.0.0.${other}` });
    expect(() => logins.forget(['tx.a'])).not.toThrow();
    expect([begin('b'), begin('c')]).toEqual([[], []]);
  });

  it('make room for others when they end', () => {
    begin('a');
    begin('b');
    for (let other = 0; other < 2000; other += 1) {
      begin(`o${other}`, { ip: '10.0.0.1' });
      logins.forget([`tx.o${other}`]);
    }
    logins.forget(['tx.a']);
    expect(begin('c')).toEqual([]);
  });

  it('are not forgotten for the end of one that nobody knows', () => {
    begin('a');
    begin('b');
    for (let other = 1; other < 1000; other += 1) begin(`o${other}`, { ip: `10.0.0.${other}` });
    logins.forget(['tx.unknown']);
    expect(begin('c')).toEqual(['tx.a']);
  });
});
