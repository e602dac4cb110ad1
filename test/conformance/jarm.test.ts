import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { CommonOptions, ResponseMode, ResponseType } from 'passport-oidc-hybrid';
import type { IdTokenLie, Lies } from '../../lib/testing/lies.ts';
import { errorCode, type Flow, startFlow } from '../support/flow.ts';
import { responseOf, upTo, withResponse } from '../support/half-login.ts';
import { expectRefusal } from '../support/refusals.ts';

let flow: Flow;

const modesOf = (type: ResponseType): ResponseMode[] =>
  type === 'code'
    ? ['query.jwt', 'form_post.jwt', 'fragment.jwt', 'jwt']
    : ['form_post.jwt', 'fragment.jwt', 'jwt'];
const types: ResponseType[] = ['code', 'code id_token', 'code token', 'code id_token token'];
const ways = types.flatMap((type) => modesOf(type).map((mode) => [type, mode] as const));

describe('JARM 2.3 response modes', () => {
  afterEach(() => flow.close());

  it.each(ways)('"%s" by %s', async (responseType, responseMode) => {
    flow = await startFlow({ oidc: { responseType, responseMode } });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    expect(flow.op.lastRequest('/authorize').parameters['response_mode']).toBe(responseMode);
  });

  it.each(ways)('"%s" by %s, with an error inside', async (responseType, responseMode) => {
    flow = await startFlow({ oidc: { responseType, responseMode } });
    flow.op.lie({ mustAsk: { error: 'access_denied', prompts: ['never'] } });
    const refused = await flow.signIn();
    expect([refused.status, errorCode(refused)]).toEqual([403, 'ERR_OIDC_ACCESS_DENIED']);
  });

  it('has nothing in clear beside the JWT that is looked at', async () => {
    flow = await startFlow({ oidc: { responseMode: 'form_post.jwt' } });
    const callback = await upTo(flow, '/callback');
    const parameters = responseOf(callback);
    expect([...parameters.keys()]).toEqual(['response']);
    for (const name of ['code', 'state', 'iss', 'error']) parameters.set(name, 'forged');
    const arrival = await flow.browser.navigate(withResponse(callback, parameters));
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/private` });
  });
});

describe('JARM 2.1 the answer is in the form that was asked for', () => {
  afterEach(() => flow.close());

  it.each<[ResponseMode, ResponseMode]>([
    ['form_post.jwt', 'form_post'],
    ['fragment.jwt', 'fragment'],
    ['jwt', 'fragment'],
  ])('%s, and not %s', async (responseMode, answer) => {
    flow = await startFlow({ oidc: { responseMode } });
    await expectRefusal(flow, { responseMode: answer }, 'JARM_MISSING');
  });

  it.each<[ResponseMode, ResponseMode]>([
    ['form_post', 'form_post.jwt'],
    ['fragment', 'fragment.jwt'],
  ])('%s, and not %s', async (responseMode, answer) => {
    flow = await startFlow({ oidc: { responseMode } });
    await expectRefusal(flow, { responseMode: answer }, 'JARM_UNEXPECTED');
  });

  it.each<[ResponseMode, ResponseMode]>([
    ['form_post.jwt', 'query.jwt'],
    ['jwt', 'form_post.jwt'],
  ])('%s, and not %s', async (responseMode, answer) => {
    flow = await startFlow({ oidc: { responseMode } });
    await expectRefusal(flow, { responseMode: answer }, 'RESPONSE_MODE');
  });

  it('a plain error, which anybody can send, ends no login', async () => {
    flow = await startFlow({ oidc: { responseMode: 'form_post.jwt' } });
    const callback = await upTo(flow, '/callback');
    const { state = '' } = flow.op.lastRequest('/authorize').parameters;
    const forged = new URLSearchParams({ error: 'access_denied', state, iss: flow.op.issuer });
    const url = `${flow.baseUrl}/callback?${forged}`;
    const refused = await flow.browser.navigate({ method: 'GET', url, from: undefined });
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_JARM_MISSING']);
    expect(await flow.browser.navigate(callback)).toMatchObject({ status: 200 });
  });

  it('an error comes by another way than was asked for, but as a JWT', async () => {
    flow = await startFlow({ oidc: { responseMode: 'form_post.jwt' } });
    const mustAsk = { error: 'access_denied', prompts: ['never'] };
    flow.op.lie({ responseMode: 'query.jwt', mustAsk });
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_ACCESS_DENIED');
    flow.op.lie({ responseMode: 'query', mustAsk });
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_JARM_MISSING');
  });
});

const now = Math.floor(Date.now() / 1000);

describe.each<Partial<CommonOptions>>([
  { responseType: 'code', responseMode: 'query.jwt' },
  { responseType: 'code id_token', responseMode: 'form_post.jwt' },
  { responseType: 'code id_token token', responseMode: 'fragment.jwt' },
])('JARM 2.4 the JWT is refused, by %j', (oidc) => {
  beforeAll(async () => {
    flow = await startFlow({ oidc });
  });
  afterAll(() => flow.close());

  it.each<[string, IdTokenLie, string]>([
    ['of another issuer', { claims: { iss: 'https://evil.example' } }, 'JARM_ISS'],
    ['of no issuer', { claims: { iss: undefined } }, 'JARM_ISS'],
    ['for another client', { claims: { aud: 'other' } }, 'JARM_AUD'],
    ['for nobody', { claims: { aud: undefined } }, 'JARM_AUD'],
    ['that has expired', { claims: { exp: now - 31 } }, 'JARM_EXP'],
    ['that never expires', { claims: { exp: undefined } }, 'JARM_EXP'],
    ['whose end is no time', { claims: { exp: '9999999999' } }, 'JARM_EXP'],
    ['of the future', { claims: { nbf: now + 3600 } }, 'JARM_NBF'],
    ['that is not signed', { signedWith: 'none' }, 'JARM_ALG'],
    ['signed with the client secret', { signedWith: 'client_secret' }, 'JARM_ALG'],
    ['signed with the public key as a secret', { signedWith: 'public_key' }, 'JARM_ALG'],
    ['signed by somebody else', { signedWith: 'foreign_key' }, 'JARM_SIGNATURE'],
    ['signed by a key that it brings along', { signedWith: 'embedded_key' }, 'JARM_SIGNATURE'],
    ['signed by an unknown key', { header: { kid: 'unknown' } }, 'JARM_KEY'],
    ['that is no JWT', { raw: 'abc' }, 'JARM_MALFORMED'],
    ['that is encrypted', { raw: 'a.b.c.d.e' }, 'JARM_ENCRYPTED'],
    ['without a state', { claims: { state: undefined } }, 'STATE_MISSING'],
    ['with a state that is no text', { claims: { state: 7 } }, 'PARAMETER_MALFORMED'],
    ['with a list of codes', { claims: { code: ['a', 'b'] } }, 'PARAMETER_DUPLICATE'],
    ['without a code', { claims: { code: undefined } }, 'CODE_MISSING'],
  ])('%s', async (_what, responseJwt, code) => {
    await expectRefusal(flow, { responseJwt }, code);
  });

  it('with a JWT inside', async () => {
    await expectRefusal(
      flow,
      { responseJwt: { claims: { state: undefined, response: 'a.b.c' } } },
      'STATE_MISSING',
    );
  });
});

describe('JARM with the rules for plain answers', () => {
  afterEach(() => flow.close());

  it.each<[string, Lies, string]>([
    ['c_hash', { frontIdToken: { claims: { c_hash: 'wrong' } } }, 'C_HASH_MISMATCH'],
    ['s_hash', { frontIdToken: { claims: { s_hash: 'wrong' } } }, 'S_HASH_MISMATCH'],
    ['nonce', { frontIdToken: { claims: { nonce: 'wrong' } } }, 'ID_TOKEN_NONCE'],
    [
      'an access token too many',
      { responseType: 'code id_token token' },
      'ACCESS_TOKEN_UNEXPECTED',
    ],
    ['no ID Token', { responseType: 'code' }, 'ID_TOKEN_MISSING'],
  ])('%s', async (_what, lies, code) => {
    flow = await startFlow({ oidc: { responseMode: 'form_post.jwt' } });
    await expectRefusal(flow, lies, code);
  });

  it('takes one algorithm, where one is registered', async () => {
    flow = await startFlow({
      oidc: { responseMode: 'form_post.jwt', authorizationSignedResponseAlg: 'ES256' },
    });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    await flow.op.addKey('RS256');
    await flow.op.rotateKeys('RS256');
    flow.op.lie({ frontIdToken: {} });
    const refused = await flow.browser.navigate(`${flow.baseUrl}/login`);
    expect(errorCode(refused)).toBe('ERR_OIDC_JARM_ALG');
  });
});
