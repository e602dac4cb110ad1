import { describe, expect, it } from '@jest/globals';
import { flowCookies } from '../../lib/http/flow-cookies.ts';
import { opByFetch } from '../support/op-by-fetch.ts';

const { prefix, isOfFlow } = flowCookies(opByFetch().options);
const name = `${prefix}tx.${'x'.repeat(16)}`;
const bare = name.replace('__Host-', '');

describe('a cookie of a flow', () => {
  it.each([name, bare, `__Secure-${bare}`])('is %s', (cookie) => {
    expect(isOfFlow(cookie)).toBe(true);
  });

  it.each([`oi__Host-${bare.slice(2)}`, `x${name}`, `__Other-${bare}`])('is not %s', (cookie) => {
    expect(isOfFlow(cookie)).toBe(false);
  });
});
