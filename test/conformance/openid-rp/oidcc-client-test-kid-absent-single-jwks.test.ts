import { afterEach, describe, expect, it } from '@jest/globals';
import { errorCode, type Flow, startFlow } from '../../support/flow.ts';
import { noKid, published, withoutKid } from '../../support/published-keys.ts';
import { channels } from '../../support/refusals.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('oidcc-client-test-kid-absent-single-jwks', () => {
  it.each(channels)('$name signs in where neither token nor key has a kid', async (channel) => {
    flow = await startFlow({ oidc: channel.oidc });
    flow.op.lie({ ...published(withoutKid), frontIdToken: noKid, backIdToken: noKid });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
  });

  it.each(channels)('$name signs in where the token alone has none', async ({ oidc, place }) => {
    flow = await startFlow({ oidc });
    flow.op.lie({ [place]: noKid });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
  });

  it('refuses a token that names a kid where the key has none', async () => {
    flow = await startFlow();
    flow.op.lie(published(withoutKid));
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_ID_TOKEN_KEY');
  });
});
