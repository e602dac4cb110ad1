import { afterEach, describe, expect, it } from '@jest/globals';
import { Browser } from '../support/browser.ts';
import { errorCode, type Flow, startFlow } from '../support/flow.ts';
import {
  channels,
  describeAcceptance,
  describeRefusals,
  expectRefusal,
} from '../support/refusals.ts';

// What no module of the OpenID Foundation covers; the rest is in openid-rp/.

// Clocks of flows start later: nothing here is close to a limit. Limits are in oidc/id-token.test.ts.
const now = Math.floor(Date.now() / 1000);
const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const hybrid = channels.filter(({ name }) => name.startsWith('"code id_token",'));

describe('Core 2 the form of an ID Token', () => {
  describeRefusals(
    [
      ['a text that is no JWT', { raw: 'no-jwt' }, 'ID_TOKEN_MALFORMED'],
      ['four parts', { raw: 'a.b.c.d' }, 'ID_TOKEN_MALFORMED'],
      ['a header that is no JSON', { raw: 'AAAA.e30.AAAA' }, 'ID_TOKEN_MALFORMED'],
      [
        'a header with an extension that must be understood',
        { raw: `${encoded({ alg: 'ES256', crit: ['later'], later: 1 })}.e30.AAAA` },
        'ID_TOKEN_MALFORMED',
      ],
      [
        'a payload that is not encoded, RFC 7797',
        { raw: `${encoded({ alg: 'ES256', b64: false, crit: ['b64'] })}.{}.AAAA` },
        'ID_TOKEN_SIGNATURE',
      ],
      [
        'an alg in a list',
        { raw: `${encoded({ alg: ['ES256'] })}.e30.AAAA` },
        'ID_TOKEN_MALFORMED',
      ],
      [
        'a header in a list',
        { raw: `${encoded([{ alg: 'ES256' }])}.e30.AAAA` },
        'ID_TOKEN_MALFORMED',
      ],
      ['a kid that is a number', { header: { kid: 1 } }, 'ID_TOKEN_KEY'],
      ['a kid that is null', { header: { kid: null } }, 'ID_TOKEN_KEY'],
      ['a kid that is a list', { header: { kid: ['1'] } }, 'ID_TOKEN_KEY'],
      ['a kid of the prototype', { header: { kid: '__proto__' } }, 'ID_TOKEN_KEY'],
    ],
    { in: hybrid },
  );
});

describe('Core 3.1.3.7 (1) an encrypted ID Token', () => {
  const jwe = `${encoded({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.a.b.c.d`;
  const direct = `${encoded({ alg: 'dir', enc: 'A256GCM' })}..b.c.d`;

  describeRefusals([
    ['one for an RSA key', { raw: jwe }, 'ID_TOKEN_ENCRYPTED'],
    ['one for a shared key', { raw: direct }, 'ID_TOKEN_ENCRYPTED'],
  ]);

  it('is told to developers for what it is', async () => {
    const messages: string[] = [];
    const flow = await startFlow({
      oidc: {
        onError: ({ error, res }) => {
          messages.push(error instanceof Error ? error.message : '');
          res.status(400).end();
        },
      },
    });
    flow.op.lie({ frontIdToken: { raw: jwe } });
    await flow.signIn();
    expect(messages).toEqual([expect.stringContaining('it must be signed and not encrypted')]);
    await flow.close();
  });
});

describe('Core 3.1.3.7 (9, 10), RFC 7519 4.1.5 times', () => {
  describeRefusals([
    ['an exp that has passed', { claims: { exp: now - 31 } }, 'ID_TOKEN_EXP'],
    ['no exp', { claims: { exp: undefined } }, 'ID_TOKEN_EXP'],
    ['an exp that is no number', { claims: { exp: 'tomorrow' } }, 'ID_TOKEN_EXP'],
    ['an nbf in the future', { claims: { nbf: now + 1000 } }, 'ID_TOKEN_NBF'],
    ['an nbf that is no number', { claims: { nbf: 'now' } }, 'ID_TOKEN_NBF'],
  ]);

  describeAcceptance(
    [
      [
        'clocks that differ by less than the tolerance',
        { claims: { iat: now + 25, nbf: now + 25 } },
      ],
      ['times with fractions', { claims: { exp: now + 300.5, iat: now - 0.5 } }],
    ],
    { in: hybrid },
  );
});

describe('an ID Token of unusual size', () => {
  let flow: Flow;
  afterEach(() => flow.close());

  it.each(hybrid)('of 40 KB is taken: $name', async ({ oidc, place }) => {
    flow = await startFlow({ oidc });
    flow.op.lie({ [place]: { claims: { groups: 'g'.repeat(30_000) } } });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
  });

  it('is refused above callbackBodyLimitBytes in the front channel', async () => {
    flow = await startFlow();
    const lie = { claims: { groups: 'g'.repeat(60_000) } };
    await expectRefusal(flow, { frontIdToken: lie }, 'CALLBACK_BODY_TOO_LARGE', 413);
  });

  it('is refused above a megabyte at the token endpoint', async () => {
    flow = await startFlow();
    const lie = { claims: { groups: 'g'.repeat(1_000_000) } };
    await expectRefusal(flow, { backIdToken: lie }, 'PROVIDER_RESPONSE', 502);
  });
});

describe('Core 3.1.3.7 (7) the algorithm', () => {
  let flow: Flow;
  afterEach(() => flow.close());

  it('is the configured one, whatever else the OP offers', async () => {
    flow = await startFlow({ oidc: { idTokenSignedResponseAlg: 'RS256' } });
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_ID_TOKEN_ALG');
  });

  it('is one that the OP offers', async () => {
    flow = await startFlow();
    flow.op.lie({
      discovery: {
        json: (body) => ({ ...body, id_token_signing_alg_values_supported: ['PS256'] }),
      },
    });
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_ID_TOKEN_ALG');
  });
});

describe('Core 3.3.3.6 the two ID Tokens of one login', () => {
  let flow: Flow;
  afterEach(() => flow.close());

  describe.each(['code id_token', 'code id_token token'] as const)('of "%s"', (responseType) => {
    it.each([
      ['sub', { sub: 'eve' }, 'ID_TOKENS_SUB'],
      ['iss', { iss: 'https://evil.example' }, 'ID_TOKEN_ISS'],
      ['nonce', { nonce: 'x' }, 'ID_TOKEN_NONCE'],
    ])('have the same %s', async (_claim, claims, code) => {
      flow = await startFlow({ oidc: { responseType } });
      await expectRefusal(flow, { backIdToken: { claims } }, code);
      await expectRefusal(flow, { frontIdToken: { claims } }, code);
    });
  });

  it('may differ in everything else', async () => {
    flow = await startFlow();
    flow.op.lie({
      frontIdToken: { claims: { exp: now + 400, email: undefined, at_hash: undefined } },
      backIdToken: { claims: { exp: now + 600, email: 'ada@example.com', c_hash: undefined } },
    });
    expect(await flow.signIn(new Browser())).toMatchObject({ status: 200 });
  });
});
