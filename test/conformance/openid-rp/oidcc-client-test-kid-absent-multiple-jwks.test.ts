import { afterEach, describe, expect, it } from '@jest/globals';
import { Browser } from '../../support/browser.ts';
import { errorCode, type Flow, startFlow } from '../../support/flow.ts';
import { noKid, published, withoutKid } from '../../support/published-keys.ts';
import { channels } from '../../support/refusals.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('oidcc-client-test-kid-absent-multiple-jwks', () => {
  it.each(channels)('$name refuses to guess (Core 10.1)', async ({ oidc, place }) => {
    flow = await startFlow({ oidc });
    await flow.op.addKey();
    expect(await flow.signIn(new Browser())).toMatchObject({ status: 200 });
    flow.op.lie({ [place]: noKid });
    const refused = await flow.signIn(new Browser());
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_ID_TOKEN_KEY']);
    expect(await flow.storeKeys()).toHaveLength(2);
  });

  it('signs in where one of them fits the algorithm alone', async () => {
    flow = await startFlow();
    await flow.op.addKey('RS256');
    flow.op.lie({ ...published(withoutKid), frontIdToken: noKid, backIdToken: noKid });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
  });
});
