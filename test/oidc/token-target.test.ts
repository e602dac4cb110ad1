import { describe, expect, it } from '@jest/globals';
import { resolveTarget, type TokenTarget, targetParameters } from '../../lib/oidc/token-target.ts';

const orders = 'https://orders.example';
const billing = 'https://billing.example';
const options = { resources: [orders, billing], audience: 'urn:api' };

const keyOf = (target: TokenTarget): string => resolveTarget(target, options).key;
const sent = (target: TokenTarget): object => targetParameters(resolveTarget(target, options));

describe('the target of an access token', () => {
  it.each<[TokenTarget, object]>([
    [{}, { resource: orders }],
    [{ resource: orders }, { resource: orders }],
    [{ audience: 'urn:api' }, { resource: orders }],
    [{ resource: undefined, audience: undefined, scope: undefined }, { resource: orders }],
  ])('%j is that of the login, and has no key of its own', (target, parameters) => {
    expect(keyOf(target)).toBe('');
    expect(sent(target)).toEqual(parameters);
  });

  it.each<[TokenTarget, object]>([
    [{ resource: billing }, { resource: billing }],
    [{ audience: 'urn:other' }, { audience: 'urn:other' }],
    [
      { resource: billing, scope: 'read' },
      { resource: billing, scope: 'read' },
    ],
    // Less than the login was granted, for the same API.
    [{ scope: 'read' }, { resource: orders, scope: 'read' }],
  ])('%j is asked for with %j', (target, parameters) => {
    expect(keyOf(target)).not.toBe('');
    expect(sent(target)).toEqual(parameters);
  });

  it('has a key for each API and scope, whatever the order of the scope', () => {
    const targets: TokenTarget[] = [
      { resource: billing },
      { audience: billing },
      { scope: billing },
      { resource: billing, scope: 'a b' },
      { resource: billing, scope: 'a' },
      { resource: billing, audience: 'a' },
    ];
    expect(new Set(targets.map(keyOf)).size).toBe(targets.length);
    expect(keyOf({ resource: billing, scope: 'b  a b' })).toBe(
      keyOf({ resource: billing, scope: 'a b' }),
    );
  });

  it.each([
    [{ resource: 'api' }, 'resource'],
    [{ resource: `${billing}#part` }, 'resource'],
    [{ resource: '' }, 'resource'],
    [{ audience: ' a' }, 'audience'],
    [{ scope: 7 }, 'scope'],
    [{ aud: 'a' }, 'aud'],
  ])('%j is refused, by the name %s', (target, option) => {
    expect(() => resolveTarget(target as TokenTarget, options)).toThrow(
      expect.objectContaining({ name: 'OptionsError', option }),
    );
  });
});
