import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Browser } from '../support/browser.ts';
import { errorCode, type Flow, startFlow } from '../support/flow.ts';
import type { IdTokenLie, Lies } from '../support/lies.ts';

const now = Math.floor(Date.now() / 1000);

/** Wrong in the same way in the front channel and at the token endpoint. */
const lies: [lie: string, lie: IdTokenLie, code: string][] = [
  ['alg none', { signedWith: 'none' }, 'ALG'],
  ['HS256 with the client secret', { signedWith: 'client_secret' }, 'ALG'],
  ['HS256 with the public key', { signedWith: 'public_key' }, 'ALG'],
  ['a signature of another key', { signedWith: 'foreign_key' }, 'SIGNATURE'],
  ['an unknown kid', { header: { kid: 'unknown' } }, 'KEY'],
  ['no JWT', { raw: 'no-jwt' }, 'MALFORMED'],
  [
    'an encrypted token',
    { raw: `${Buffer.from('{"alg":"RSA-OAEP","enc":"A256GCM"}').toString('base64url')}.a.b.c.d` },
    'MALFORMED',
  ],
  ['another iss', { claims: { iss: 'https://evil.example' } }, 'ISS'],
  ['no iss', { claims: { iss: undefined } }, 'ISS'],
  ['another aud', { claims: { aud: 'other' } }, 'AUD'],
  ['no aud', { claims: { aud: undefined } }, 'AUD'],
  ['several aud without azp', { claims: { aud: ['client', 'other'] } }, 'AZP'],
  ['another azp', { claims: { azp: 'other' } }, 'AZP'],
  ['several aud and another azp', { claims: { aud: ['client', 'other'], azp: 'other' } }, 'AZP'],
  ['an exp that has passed', { claims: { exp: now - 31 } }, 'EXP'],
  ['no exp', { claims: { exp: undefined } }, 'EXP'],
  ['an exp that is no number', { claims: { exp: 'tomorrow' } }, 'EXP'],
  ['an iat in the future', { claims: { iat: now + 120 } }, 'IAT'],
  ['no iat', { claims: { iat: undefined } }, 'IAT'],
  ['an nbf in the future', { claims: { nbf: now + 120 } }, 'NBF'],
  ['an nbf that is no number', { claims: { nbf: 'now' } }, 'NBF'],
  ['no sub', { claims: { sub: undefined } }, 'SUB'],
  ['an empty sub', { claims: { sub: '' } }, 'SUB'],
  ['a sub that is no string', { claims: { sub: 1 } }, 'SUB'],
  ['another nonce', { claims: { nonce: 'other' } }, 'NONCE'],
  ['no nonce', { claims: { nonce: undefined } }, 'NONCE'],
];

describe.each([
  ['of the authorization response', 'frontIdToken'],
  ['of the token endpoint', 'backIdToken'],
] as const)('Core 3.1.3.7 the ID Token %s', (_name, place) => {
  let flow: Flow;
  beforeAll(async () => {
    flow = await startFlow();
  });
  afterAll(() => flow.close());

  it.each(lies)('is refused with %s', async (_lie, lie, code) => {
    flow.op.honest();
    expect(await flow.signIn(new Browser())).toMatchObject({ status: 200 });
    const keys = await flow.storeKeys();
    flow.op.lie({ [place]: lie } satisfies Lies);
    const arrival = await flow.signIn(new Browser());
    expect([arrival.status, errorCode(arrival)]).toEqual([400, `ERR_OIDC_ID_TOKEN_${code}`]);
    expect(await flow.storeKeys()).toEqual(keys);
    expect(flow.errors).toEqual([]);
  });

  it.each([
    ['aud in an array', { claims: { aud: ['client'] } }],
    ['several aud with our azp', { claims: { aud: ['other', 'client'], azp: 'client' } }],
    ['no kid where the OP has one key', { header: { kid: undefined } }],
    ['clocks that differ by less than the tolerance', { claims: { iat: now + 25, nbf: now + 25 } }],
    ['an exp that has passed by less than the tolerance', { claims: { exp: now - 25 } }],
  ] satisfies [string, IdTokenLie][])('is accepted with %s', async (_habit, lie) => {
    flow.op.honest();
    flow.op.lie({ [place]: lie } satisfies Lies);
    expect(await flow.signIn(new Browser())).toMatchObject({ status: 200 });
  });
});

describe('Core 10.1 keys', () => {
  let flow: Flow;
  beforeAll(async () => {
    flow = await startFlow();
    await flow.signIn(new Browser());
  });
  afterAll(() => flow.close());

  it('rotated ones are fetched again, at most every 30 seconds', async () => {
    await flow.op.rotateKeys();
    const fetched = flow.op.count('/jwks');
    flow.clock.advance(29);
    expect(errorCode(await flow.signIn(new Browser()))).toBe('ERR_OIDC_ID_TOKEN_KEY');
    expect(flow.op.count('/jwks')).toBe(fetched);
    flow.clock.advance(1);
    expect(await flow.signIn(new Browser())).toMatchObject({ status: 200 });
    expect(flow.op.count('/jwks')).toBe(fetched + 1);
  });

  it('rotated ones serve logins that wait for them together', async () => {
    await flow.op.rotateKeys();
    flow.clock.advance(31);
    const held = flow.op.hold('/jwks');
    const first = flow.signIn(new Browser());
    await held.arrived;
    const second = flow.signIn(new Browser());
    const before = flow.op.count('/authorize');
    while (flow.op.count('/authorize') === before) await new Promise(setImmediate);
    await new Promise(setImmediate);
    held.release();
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
  });

  it('that cannot be fetched after a rotation are an outage, and no defect of the token', async () => {
    await flow.op.rotateKeys();
    flow.clock.advance(31);
    flow.op.lie({ jwks: { status: 503, body: '' } });
    const arrival = await flow.signIn(new Browser());
    expect([arrival.status, errorCode(arrival)]).toEqual([503, 'ERR_OIDC_PROVIDER_UNAVAILABLE']);
    flow.op.honest();
    flow.clock.advance(31);
    expect(await flow.signIn(new Browser())).toMatchObject({ status: 200 });
  });

  it('a token without kid is refused where several keys fit', async () => {
    await flow.op.addKey();
    flow.clock.advance(601);
    flow.op.lie({ frontIdToken: { header: { kid: undefined } } });
    expect(errorCode(await flow.signIn(new Browser()))).toBe('ERR_OIDC_ID_TOKEN_KEY');
    flow.op.honest();
    expect(await flow.signIn(new Browser())).toMatchObject({ status: 200 });
  });
});

describe('Core 3.1.3.7 (7) the algorithm', () => {
  it('is the configured one, whatever else the OP offers', async () => {
    const flow = await startFlow({ oidc: { idTokenSignedResponseAlg: 'RS256' } });
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_ID_TOKEN_ALG');
    await flow.close();
  });

  it('is one that the OP offers', async () => {
    const flow = await startFlow();
    flow.op.lie({
      discovery: {
        json: (body) => ({ ...body, id_token_signing_alg_values_supported: ['PS256'] }),
      },
    });
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_ID_TOKEN_ALG');
    await flow.close();
  });

  it('is never HS256, even where the OP offers it', async () => {
    const flow = await startFlow();
    flow.op.lie({
      discovery: {
        json: (body) => ({ ...body, id_token_signing_alg_values_supported: ['HS256', 'none'] }),
      },
      frontIdToken: { signedWith: 'client_secret' },
    });
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_ID_TOKEN_ALG');
    await flow.close();
  });
});
