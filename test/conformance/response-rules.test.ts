import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Lies } from '../../lib/testing/lies.ts';
import { Browser } from '../support/browser.ts';
import { errorCode, type Flow, startFlow } from '../support/flow.ts';

type Parameters = [name: string, value: string][];

const without =
  (...names: string[]) =>
  (parameters: Parameters): Parameters =>
    parameters.filter(([name]) => !names.includes(name));
const withThese =
  (...added: Parameters) =>
  (parameters: Parameters): Parameters => [...parameters, ...added];
const changed =
  (name: string, value: string) =>
  (parameters: Parameters): Parameters =>
    parameters.map((parameter) => (parameter[0] === name ? [name, value] : parameter));

const bearer: Parameters = [
  ['access_token', 'a-front-channel-token'],
  ['token_type', 'Bearer'],
];

/** One row a lie: what changes in a login that succeeds, and the code of the refusal. */
const rules: Record<string, [lie: string, lies: Lies, code: string][]> = {
  code: [
    ['no code', { response: without('code') }, 'ERR_OIDC_CODE_MISSING'],
    [
      'an ID Token not asked for',
      { responseType: 'code id_token' },
      'ERR_OIDC_ID_TOKEN_UNEXPECTED',
    ],
    [
      'an access token not asked for',
      { responseType: 'code token' },
      'ERR_OIDC_ACCESS_TOKEN_UNEXPECTED',
    ],
    [
      'an access token of no type',
      { response: withThese(['access_token', 'x']) },
      'ERR_OIDC_TOKEN_TYPE',
    ],
    ['no iss', { response: without('iss') }, 'ERR_OIDC_ISS_MISSING'],
    ['another iss', { response: changed('iss', 'https://evil.example') }, 'ERR_OIDC_ISS_MISMATCH'],
    ['no state', { response: without('state') }, 'ERR_OIDC_STATE_MISSING'],
    [
      'another state',
      { response: changed('state', 'x'.repeat(43)) },
      'ERR_OIDC_TRANSACTION_UNKNOWN',
    ],
  ],
  'code id_token': [
    ['no code', { response: without('code') }, 'ERR_OIDC_CODE_MISSING'],
    ['no ID Token', { response: without('id_token') }, 'ERR_OIDC_ID_TOKEN_MISSING'],
    [
      'an access token not asked for',
      { responseType: 'code id_token token' },
      'ERR_OIDC_ACCESS_TOKEN_UNEXPECTED',
    ],
    [
      'an access token that is not of the ID Token',
      { response: withThese(...bearer) },
      'ERR_OIDC_AT_HASH_MISSING',
    ],
    ['another iss', { response: changed('iss', 'https://evil.example') }, 'ERR_OIDC_ISS_MISMATCH'],
    ['no state', { response: without('state') }, 'ERR_OIDC_STATE_MISSING'],
  ],
  'code token': [
    ['no code', { response: without('code') }, 'ERR_OIDC_CODE_MISSING'],
    ['no access token', { response: without('access_token') }, 'ERR_OIDC_ACCESS_TOKEN_MISSING'],
    ['no token type', { response: without('token_type') }, 'ERR_OIDC_TOKEN_TYPE'],
    ['another token type', { response: changed('token_type', 'mac') }, 'ERR_OIDC_TOKEN_TYPE'],
    [
      'an ID Token not asked for',
      { responseType: 'code id_token token' },
      'ERR_OIDC_ID_TOKEN_UNEXPECTED',
    ],
    ['no iss', { response: without('iss') }, 'ERR_OIDC_ISS_MISSING'],
    ['another iss', { response: changed('iss', 'https://evil.example') }, 'ERR_OIDC_ISS_MISMATCH'],
    ['no state', { response: without('state') }, 'ERR_OIDC_STATE_MISSING'],
  ],
  'code id_token token': [
    ['no code', { response: without('code') }, 'ERR_OIDC_CODE_MISSING'],
    ['no ID Token', { response: without('id_token') }, 'ERR_OIDC_ID_TOKEN_MISSING'],
    ['no access token', { response: without('access_token') }, 'ERR_OIDC_ACCESS_TOKEN_MISSING'],
    ['no token type', { response: without('token_type') }, 'ERR_OIDC_TOKEN_TYPE'],
  ],
};

/** What OPs do within the specifications, and has to be accepted. */
const habits: [habit: string, responseType: keyof typeof rules, lies: Lies][] = [
  ['token_type in another case', 'code token', { response: changed('token_type', 'bearer') }],
  ['an unknown parameter', 'code id_token', { response: withThese(['session_state', 'x']) }],
  ['an unknown parameter, twice', 'code id_token', { response: withThese(['a', 'x'], ['a', 'y']) }],
  ['an empty parameter', 'code id_token', { response: withThese(['access_token', '']) }],
  ['no s_hash', 'code id_token', { frontIdToken: { claims: { s_hash: undefined } } }],
  ['no iss beside an ID Token', 'code id_token', { response: without('iss') }],
  [
    'no hashes at the token endpoint',
    'code',
    { backIdToken: { claims: { at_hash: undefined, c_hash: undefined } } },
  ],
];

const modes = ['form_post', 'fragment'] as const;
const answers = Object.entries(rules).flatMap(([responseType, rows]) =>
  modes.map((responseMode) => ({ responseType: responseType as 'code', responseMode, rows })),
);

describe.each(answers)('Core 3.3.2.5 the answer to "$responseType" by $responseMode', (answer) => {
  const { rows, ...oidc } = answer;
  let flow: Flow;
  beforeAll(async () => {
    flow = await startFlow({ oidc });
  });
  afterAll(() => flow.close());

  it('signs in when nothing is changed', async () => {
    flow.op.honest();
    expect(await flow.signIn(new Browser())).toMatchObject({ status: 200 });
  });

  it.each(rows)('is refused with %s', async (_lie, lies, code) => {
    flow.op.honest();
    flow.op.lie(lies);
    const browser = new Browser();
    const keys = await flow.storeKeys();
    const arrival = await flow.signIn(browser);
    expect(errorCode(arrival)).toBe(code);
    expect(arrival.status).toBe(400);
    expect(await flow.storeKeys()).toEqual(keys);
    expect(await browser.cookieNames(flow.baseUrl)).not.toContain('connect.sid');
    expect(flow.errors).toEqual([]);
  });
});

describe('habits of OPs, within the specifications', () => {
  it.each(habits)('%s', async (_habit, responseType, lies) => {
    const flow = await startFlow({
      oidc: { responseType: responseType as 'code', responseMode: 'form_post' },
    });
    flow.op.lie(lies);
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    await flow.close();
  });

  it('no iss where the OP does not promise one', async () => {
    const flow = await startFlow({ oidc: { responseType: 'code' } });
    flow.op.lie({
      discovery: {
        json: (body) => ({ ...body, authorization_response_iss_parameter_supported: undefined }),
      },
      response: without('iss'),
    });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    await flow.close();
  });
});

describe('Multiple Response Types 2.1 the response mode', () => {
  it.each([
    ['code id_token', 'form_post', 'query'],
    ['code id_token', 'form_post', 'fragment'],
    ['code id_token', 'fragment', 'query'],
    ['code id_token', 'fragment', 'form_post'],
    ['code', 'query', 'form_post'],
    ['code', 'fragment', 'query'],
    ['code', 'fragment', 'form_post'],
  ] as const)('to "%s" %s is asked for, and %s is refused', async (responseType, asked, came) => {
    const flow = await startFlow({ oidc: { responseType, responseMode: asked } });
    flow.op.lie({ responseMode: came });
    const arrival = await flow.signIn();
    expect([arrival.status, errorCode(arrival)]).toEqual([400, 'ERR_OIDC_RESPONSE_MODE']);
    flow.op.lie({ responseMode: asked });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    await flow.close();
  });

  it('to "code" an answer in the fragment that nobody expects is told for what it is', async () => {
    const flow = await startFlow({ oidc: { responseType: 'code' } });
    flow.op.lie({ responseMode: 'fragment' });
    const arrival = await flow.signIn();
    expect([arrival.status, errorCode(arrival)]).toEqual([400, 'ERR_OIDC_RESPONSE_EMPTY']);
    await flow.close();
  });

  it('plain code by query signs in', async () => {
    const flow = await startFlow({ oidc: { responseType: 'code' } });
    const arrival = await flow.signIn();
    expect(arrival.status).toBe(200);
    expect(arrival.history.map(({ method }) => method)).not.toContain('POST');
    await flow.close();
  });
});
