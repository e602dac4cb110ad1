import { afterEach, describe, expect, it } from '@jest/globals';
import { Browser } from '../../support/browser.ts';
import { errorCode, type Flow, startFlow } from '../../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

type Metadata = Record<string, unknown>;
const metadata = (change: (body: Metadata) => unknown): void =>
  flow.op.lie({ discovery: { json: change } });

describe('oidcc-client-test-discovery-issuer-mismatch', () => {
  it.each([
    ['another issuer', () => 'https://evil.example'],
    ['the issuer with a slash', (issuer: string) => `${issuer}/`],
    ['the issuer in another case', (issuer: string) => issuer.toUpperCase()],
    ['the issuer with a query', (issuer: string) => `${issuer}?a`],
    ['no issuer', () => undefined],
    ['an issuer that is no text', () => 1],
  ])('stops the login before it begins: %s', async (_what, change) => {
    flow = await startFlow();
    metadata((body) => ({ ...body, issuer: change(String(body['issuer'])) }));
    const refused = await flow.signIn(new Browser());
    expect(refused.status).toBe(502);
    expect(['ERR_OIDC_DISCOVERY_ISSUER', 'ERR_OIDC_PROVIDER_RESPONSE']).toContain(
      errorCode(refused),
    );
    expect([flow.op.count('/authorize'), flow.op.count('/jwks')]).toEqual([0, 0]);
    expect(refused.setCookies).toEqual([]);
    flow.op.honest();
    flow.clock.advance(1);
    expect(await flow.signIn(new Browser())).toMatchObject({ status: 200 });
  });
});
