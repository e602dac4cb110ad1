import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type CommonOptions,
  type HybridFlowError,
  type LogLine,
  logTo,
  subscribe,
} from 'passport-oidc-hybrid';
import type { RefusedRequest } from '../../lib/testing/lies.ts';
import { type Flow, type FlowSetup, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

const clientKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const clientSecret = 'a secret: of 32 bytes, with ä+&/%41"<\\ in it';

const by = (tokenEndpointAuthMethod: string): Partial<CommonOptions> =>
  ({ clientSecret, clientKey, tokenEndpointAuthMethod }) as Partial<CommonOptions>;

type Pick = (request: RefusedRequest) => string | undefined;

const parameter =
  (name: string): Pick =>
  ({ parameters }) =>
    parameters[name];

type Row = [what: string, oidc: Partial<CommonOptions>, pick: Pick];

const ofClient: Row[] = [
  [
    'the header Authorization',
    by('client_secret_basic'),
    ({ headers }) => headers.authorization?.split(' ')[1],
  ],
  ['client_secret', by('client_secret_post'), parameter('client_secret')],
  ['an assertion by the secret', by('client_secret_jwt'), parameter('client_assertion')],
  ['an assertion by a key', by('private_key_jwt'), parameter('client_assertion')],
];

const places = {
  '/token': [
    {},
    [
      ...ofClient,
      ['the code', {}, parameter('code')],
      ['the verifier', {}, parameter('code_verifier')],
      ['a proof', { dpop: true }, ({ headers }) => String(headers['dpop'])],
    ],
  ],
  '/par': [
    { pushedAuthorizationRequests: 'always' },
    [
      ...ofClient,
      ['the state', {}, parameter('state')],
      ['the nonce', {}, parameter('nonce')],
      ...['id_token_hint', 'login_hint_token'].map(
        (name): Row => [
          name,
          { authorizationParams: { [name]: 'a JWT that names the user' } },
          parameter(name),
        ],
      ),
      ['the signed request', { ...by('private_key_jwt'), requestObject: {} }, parameter('request')],
    ],
  ],
} satisfies Record<string, [Partial<CommonOptions>, Row[]]>;

type Write = (text: string) => string;

const byCode =
  (before: string, base: number, after: string): Write =>
  (text) =>
    text.replace(/[^\w ]/g, (character) => {
      const digits = character.charCodeAt(0).toString(base).padStart(4, '0');
      return `${before}${digits}${after}`;
    });

/** How an OP may write a text of ours. */
const forms: [name: string, write: Write][] = [
  ['as it is', (text) => text],
  ['percent-encoded', encodeURIComponent],
  [
    'percent-encoded in lower case',
    (text) => encodeURIComponent(text).replace(/%../g, (found) => found.toLowerCase()),
  ],
  [
    'percent-encoded, but for + and spaces',
    (text) => text.replace(/[^\w+ ]/g, (character) => encodeURIComponent(character)),
  ],
  ['as of a form', (text) => String(new URLSearchParams({ a: text })).slice(2)],
  ['in base64', (text) => Buffer.from(text).toString('base64')],
  ['in base64url', (text) => Buffer.from(text).toString('base64url')],
  ['in base64, behind other letters', (text) => `xyz${Buffer.from(text).toString('base64')}`],
  [
    'as credentials',
    (text) => Buffer.from(`client:${encodeURIComponent(text)}`).toString('base64'),
  ],
  ['as JSON', (text) => JSON.stringify({ a: text })],
  ['as JSON by codes', byCode('\\u', 16, '')],
  ['in HTML', byCode('&#', 10, ';')],
  ['in HTML by hexadecimal codes', byCode('&#x', 16, ';')],
  ['in HTML by names', (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;')],
  ['percent-encoded twice', (text) => encodeURIComponent(encodeURIComponent(text))],
];

interface Told {
  readonly errors: HybridFlowError[];
  readonly lines: LogLine[];
}

/** A login that the OP refuses at one endpoint, by these words. */
async function refuse(
  path: string,
  oidc: FlowSetup['oidc'],
  words: (request: RefusedRequest) => object,
): Promise<Told & { texts: string }> {
  flow = await startFlow({ oidc: { clientSecret, ...oidc } });
  flow.op.clientSecret = clientSecret;
  const told: Told = { errors: [], lines: [] };
  const ends = [
    subscribe('error', ({ error }) => told.errors.push(error)),
    subscribe('refusal', ({ error }) => told.errors.push(error as HybridFlowError)),
    logTo((line) => told.lines.push(line)),
  ];
  flow.op.lie({
    refuses: (request) =>
      request.path === path ? { body: JSON.stringify(words(request)) } : undefined,
  });
  const arrival = await flow.signIn();
  for (const end of ends) end();
  expect(arrival.status).toBeGreaterThanOrEqual(400);
  expect(told.errors.length).toBeGreaterThan(0);
  const shown = [told, told.errors.map((error) => [JSON.stringify(error), error.stack])];
  const page = [arrival.text, arrival.headers, arrival.url];
  return { ...told, texts: inspect([shown, page], { depth: 20, showHidden: true }) };
}

describe.each(Object.entries(places))('the words of an OP at %s', (path, [common, rows]) => {
  it('are in the error where they say nothing that is secret', async () => {
    const words = { error: 'invalid_request', error_description: 'the redirect_uri is unknown' };
    const { errors } = await refuse(path, common, () => words);
    for (const error of errors) expect(error).toMatchObject(words);
  });

  async function expectNothing(oidc: Partial<CommonOptions>, pick: Pick, write: Write) {
    const sent: string[] = [];
    const { errors, texts } = await refuse(path, { ...common, ...oidc }, (request) => {
      const secret = String(pick(request));
      sent.push(secret, write(secret));
      return { error: 'invalid_request', error_description: `no good: ${write(secret)}!` };
    });
    expect(sent.length).toBeGreaterThan(0);
    for (const secret of sent) {
      expect(secret.length).toBeGreaterThan(15);
      expect(texts).not.toContain(secret);
      // As `inspect` writes it.
      expect(texts).not.toContain(JSON.stringify(secret).slice(1, -1));
    }
    expect(texts).not.toContain('no good');
    for (const error of errors) {
      expect(error).toMatchObject({ error: undefined, error_description: undefined });
    }
  }

  it.each(forms)('are left out where they repeat the client secret %s', async (_form, write) => {
    await expectNothing(by('client_secret_basic'), () => clientSecret, write);
  });

  it.each(rows)('are left out where they repeat %s', async (_what, oidc, pick) => {
    await expectNothing(oidc, pick, (text) => text);
    await flow.close();
    await expectNothing(oidc, pick, (text) => Buffer.from(text).toString('base64'));
  });

  it('are left out where the code of the error is the secret', async () => {
    const { texts, errors } = await refuse(path, common, () => ({ error: clientSecret }));
    expect(texts).not.toContain(clientSecret);
    for (const error of errors) expect(error).toMatchObject({ error: undefined });
  });

  it.each([
    ['a list', [clientSecret]],
    ['an object', { clientSecret }],
    ['a number', 7],
  ])('are left out where the description is %s', async (_what, error_description) => {
    const words = { error: 'invalid_request', error_description };
    const { texts, errors } = await refuse(path, common, () => words);
    expect(texts).not.toContain('32 bytes');
    for (const error of errors) {
      expect(error).toMatchObject({ error: 'invalid_request', error_description: undefined });
    }
  });

  it('are left out where there are more of them than anybody searches', async () => {
    const words = (length: number) => ({ error: 'x', error_description: 'y'.repeat(length) });
    const { errors } = await refuse(path, common, () => words(4097));
    for (const error of errors) expect(error).toMatchObject({ error_description: undefined });
    await flow.close();
    const { errors: shorter } = await refuse(path, common, () => words(4096));
    for (const error of shorter) expect(error).toMatchObject(words(4096));
  });
});

describe('the words of an OP at /userinfo', () => {
  it.each([
    ['stand in the error', () => 'the token is of another time', 'the token is of another time'],
    ['are left out where they repeat the access token', (token: string) => token, undefined],
  ])('%s', async (_what, write, shown) => {
    const tokens: string[] = [];
    flow = await startFlow({ oidc: { loadUserinfo: true } });
    const errors: unknown[] = [];
    const end = subscribe('refusal', ({ error }) => errors.push(error));
    flow.op.lie({
      refuses({ path, headers }) {
        if (path !== '/userinfo') return undefined;
        const token = String(headers.authorization?.split(' ')[1]);
        tokens.push(token);
        const challenge = `Bearer error="invalid_token", error_description="${write(token)}"`;
        return { status: 401, headers: { 'www-authenticate': challenge } };
      },
    });
    const arrival = await flow.signIn();
    end();
    expect(tokens).toHaveLength(1);
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_OIDC_USERINFO_REFUSED' })]);
    expect(errors).toMatchObject([{ error_description: shown }]);
    const texts = inspect([errors, arrival.text], { depth: 20, showHidden: true });
    expect(texts).not.toContain(tokens[0]);
  });
});
