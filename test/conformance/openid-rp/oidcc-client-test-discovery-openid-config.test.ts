import { afterEach, describe, expect, it } from '@jest/globals';
import { type Flow, startFlow } from '../../support/flow.ts';

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
