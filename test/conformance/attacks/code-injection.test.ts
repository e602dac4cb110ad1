import { afterEach, describe, expect, it } from '@jest/globals';
import type { Lies } from '../../../lib/testing/lies.ts';
import { Browser, type Hop } from '../../support/browser.ts';
import { errorCode, type Flow, startFlow } from '../../support/flow.ts';
import { expectUnknown, responseOf, upTo, withResponse } from '../../support/half-login.ts';

let flow: Flow;
afterEach(() => flow.close());

/** The attacker's own callback, with parameters of the victim's in place of its own. */
function injected(own: Hop, stolen: Hop, names: readonly string[]): Hop {
  const parameters = responseOf(own);
  for (const name of names) parameters.set(name, responseOf(stolen).get(name) ?? '');
  return withResponse(own, parameters);
}

async function inject(
  responseType: 'code' | 'code id_token' | 'code token' | 'code id_token token',
  names: readonly string[],
  lies: Lies = {},
): Promise<[number, unknown]> {
  flow = await startFlow({ oidc: { responseType, responseMode: 'form_post' } });
  flow.op.lie(lies);
  const stolen = await upTo(flow, '/callback', new Browser());
  const own = await upTo(flow, '/callback');
  // Without the injection it is a login like any other.
  const honest = await upTo(flow, '/callback', new Browser());
  expect(honest.method).toBe('POST');
  const arrival = await flow.browser.navigate(injected(own, stolen, names));
  expect(await flow.storeKeys()).toEqual([]);
  expect(await flow.signIn(new Browser())).toMatchObject({ status: 200 });
  return [arrival.status, errorCode(arrival)];
}

const withoutSHash: Lies = { frontIdToken: { claims: { s_hash: undefined } } };

describe('RFC 9700 4.5 a stolen code in a login of the attacker', () => {
  it.each(['code', 'code token'] as const)(
    '"%s": the OP refuses it, as it belongs to another verifier (RFC 7636)',
    async (responseType) => {
      expect(await inject(responseType, ['code'])).toEqual([400, 'ERR_OIDC_GRANT_REFUSED']);
    },
  );

  it.each(['code', 'code token'] as const)(
    '"%s": at an OP that ignores PKCE, the nonce shows it (Core 3.1.3.7)',
    async (responseType) => {
      expect(await inject(responseType, ['code'], { ignoresPkce: true })).toEqual([
        400,
        'ERR_OIDC_ID_TOKEN_NONCE',
      ]);
    },
  );

  it.each(['code id_token', 'code id_token token'] as const)(
    '"%s": the ID Token beside it shows it, before it is sent anywhere',
    async (responseType) => {
      expect(await inject(responseType, ['code'])).toEqual([400, 'ERR_OIDC_C_HASH_MISMATCH']);
      expect(flow.op.count('/token')).toBe(1);
    },
  );

  it('with its ID Token: the state shows it', async () => {
    expect(await inject('code id_token', ['code', 'id_token'])).toEqual([
      400,
      'ERR_OIDC_S_HASH_MISMATCH',
    ]);
  });

  it('with its ID Token, at an OP that sends no s_hash: the nonce shows it', async () => {
    expect(await inject('code id_token', ['code', 'id_token'], withoutSHash)).toEqual([
      400,
      'ERR_OIDC_ID_TOKEN_NONCE',
    ]);
  });

  it('with its state: no login of this browser has it', async () => {
    flow = await startFlow({ oidc: { responseType: 'code' } });
    const stolen = await upTo(flow, '/callback', new Browser());
    const own = await upTo(flow, '/callback');
    await expectUnknown(flow, injected(own, stolen, ['code', 'state']));
    expect(await flow.browser.navigate(own)).toMatchObject({ status: 200 });
  });
});
