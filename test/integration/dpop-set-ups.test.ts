import { afterEach, describe, expect, it } from '@jest/globals';
import { Browser } from '../support/browser.ts';
import { startCertifiedFlow } from '../support/certified-flow.ts';
import { type DpopFlow, type DpopSetup, startDpopFlow } from '../support/dpop-flow.ts';
import { errorCode, json } from '../support/flow.ts';

let flow: Pick<DpopFlow, 'close'>;
let browser: Browser;
afterEach(() => flow.close());

async function start(setup: DpopSetup = {}): Promise<DpopFlow> {
  browser = new Browser();
  const started = await startDpopFlow(setup);
  flow = started;
  return started;
}

const keyOf = (visit: { text: string }): unknown => (json(visit)['cnf'] as { jkt: string }).jkt;

describe('RFC 9449: processes and set-ups', () => {
  it('share the key by the record: a second process refreshes and calls with it', async () => {
    const { baseUrl, clock, op, nonces, startSecond } = await start();
    const second = await startSecond();
    const before = await browser.navigate(`${baseUrl}/orders`);
    nonces.next();
    expect(keyOf(await browser.fetch(`${second.baseUrl}/orders`))).toBe(keyOf(before));
    clock.advance(60);
    expect(keyOf(await browser.fetch(`${second.baseUrl}/orders`))).toBe(keyOf(before));
    expect(keyOf(await browser.fetch(`${baseUrl}/orders`))).toBe(keyOf(before));
    expect(op.grants).toMatchObject({ authorization_code: 1, refresh_token: 1 });
    await second.close();
  });

  it('that begin to bind tokens take no login from before', async () => {
    const { baseUrl, startSecond } = await start({ oidc: { dpop: false } });
    const binding = await startSecond({ dpop: true });
    await browser.navigate(`${baseUrl}/token`);
    expect(await browser.fetch(`${binding.baseUrl}/token`)).toMatchObject({ status: 401 });
    expect(await browser.fetch(`${baseUrl}/token`)).toMatchObject({ status: 200 });
    await binding.close();
  });

  it('that stop to bind them let logins go on with their keys', async () => {
    const { baseUrl, startSecond } = await start();
    const stopped = await startSecond({ dpop: false });
    const before = await browser.navigate(`${baseUrl}/orders`);
    expect(keyOf(await browser.fetch(`${stopped.baseUrl}/orders`))).toBe(keyOf(before));
    await stopped.close();
  });

  it('at an OP that does not take the algorithm begin no login', async () => {
    const { baseUrl } = await start({
      oidc: { dpop: { alg: 'Ed25519' } },
      algorithms: ['ES256'],
    });
    expect(errorCode(await browser.navigate(`${baseUrl}/token`))).toBe('ERR_OIDC_METADATA');
  });

  it('at an OP that knows nothing of it take no token that is bound to nothing', async () => {
    const ordinary = await startCertifiedFlow({
      oidc: { dpop: true },
      op: { features: { dPoP: { enabled: false } } },
    });
    flow = ordinary;
    const refused = await new Browser().navigate(`${ordinary.baseUrl}/profile`);
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_TOKEN_TYPE']);
    await ordinary.close();
    const { baseUrl } = await start();
    expect(await browser.navigate(`${baseUrl}/profile`)).toMatchObject({ status: 200 });
  });
});
