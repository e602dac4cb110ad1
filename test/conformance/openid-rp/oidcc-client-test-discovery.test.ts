import { afterEach, describe, expect, it } from '@jest/globals';
import { Browser } from '../../support/browser.ts';
import { errorCode, type Flow, startFlow } from '../../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

const wellKnown = '/.well-known/openid-configuration';
type Metadata = Record<string, unknown>;
const metadata = (change: (body: Metadata) => unknown): void =>
  flow.op.lie({ discovery: { json: change } });

describe('oidcc-client-test-discovery-openid-config', () => {
  it('is read before the first login, and every endpoint is taken from it', async () => {
    flow = await startFlow();
    metadata((body) => ({ ...body, authorization_endpoint: `${flow.op.issuer}/authorize?x=1` }));
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    expect(flow.op.requests[0]).toMatchObject({ method: 'GET', path: wellKnown });
    expect(flow.op.lastRequest('/authorize').parameters).toMatchObject({ x: '1' });
  });

  it.each([
    ['without every optional member', required],
    [
      'with members that nobody knows',
      (body: Metadata) => ({ ...body, future: [{ a: 1 }], x: null }),
    ],
    [
      'in the opposite order',
      (body: Metadata) => Object.fromEntries(Object.entries(body).reverse()),
    ],
    ['with its lists in the opposite order', reversedLists],
  ])('signs in by a document %s', async (_how, change) => {
    flow = await startFlow({ oidc: { idTokenSignedResponseAlg: 'ES256' } });
    metadata(change);
    expect(await flow.signIn()).toMatchObject({ status: 200 });
  });
});

describe('oidcc-client-test-discovery-jwks-uri-keys', () => {
  it('the keys are fetched from jwks_uri, and verify the ID Tokens', async () => {
    flow = await startFlow();
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    expect(flow.op.count('/jwks')).toBe(1);
    await flow.browser.navigate(`${flow.baseUrl}/logout`);
    flow.op.lie({ frontIdToken: { signedWith: 'foreign_key' } });
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_ID_TOKEN_SIGNATURE');
  });
});

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

function required(body: Metadata): Metadata {
  const names = ['issuer', 'authorization_endpoint', 'token_endpoint', 'jwks_uri'];
  return Object.fromEntries(Object.entries(body).filter(([name]) => names.includes(name)));
}

function reversedLists(body: Metadata): Metadata {
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [
      name,
      Array.isArray(value) ? [...value, 'something_new'].reverse() : value,
    ]),
  );
}
