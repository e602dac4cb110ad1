import { afterEach, describe, expect, it } from '@jest/globals';
import type { AnswerLie } from '../../lib/testing/lies.ts';
import { errorCode, type Flow, json } from '../support/flow.ts';
import { type Listening, listen } from '../support/listen.ts';
import { callApi, startStale } from '../support/stale-login.ts';

let flow: Flow;
let elsewhere: Listening | undefined;
afterEach(async () => {
  await flow.close();
  await elsewhere?.close();
  elsewhere = undefined;
});

const refreshTokensSent = (): (string | undefined)[] =>
  flow.op.requests
    .filter(({ parameters }) => parameters['grant_type'] === 'refresh_token')
    .map(({ parameters }) => parameters['refresh_token']);

const html = { 'content-type': 'text/html' };

describe('RFC 6749 5, 6 an answer to a refresh that cannot be used', () => {
  it.each<[string, AnswerLie]>([
    ['garbage', { body: '{"access_token":' }],
    ['nothing', { body: '' }],
    ['a page', { headers: html, body: '<p>' }],
    ['JSON that is no object', { body: '[]' }],
    ['very deep JSON', { body: '['.repeat(100_000) }],
    ['more than a megabyte', { body: `"${'x'.repeat(2 ** 20)}"` }],
    ['a broken connection', { answer: (res) => void res.socket?.destroy() }],
    ['an error without a body', { status: 400, body: '' }],
    ['an error in HTML', { status: 403, headers: html, body: '<p>' }],
    ['an error that nobody knows', { status: 400, body: '{"error":"x"}' }],
    ['no access token', { json: ({ access_token, ...body }) => body }],
    ['no token type', { json: ({ token_type, ...body }) => body }],
    ['an expiry that is none', { json: (body) => ({ ...body, expires_in: 'soon' }) }],
    ['a token that breaks headers', { json: (body) => ({ ...body, access_token: 'a\r\nb' }) }],
  ])('(%s) ends no login, and the present token serves on', async (_what, refresh) => {
    flow = await startStale();
    const [first] = flow.op.accessTokens.back;
    flow.op.lie({ refresh });
    expect(json(await callApi(flow))).toMatchObject({ authorization: `Bearer ${first}` });
    expect(flow.op.count('/token', 'refresh_token')).toBe(1);
    expect(json(await flow.browser.navigate(flow.baseUrl))).toMatchObject({
      claims: { sub: 'ada' },
    });
  });

  it.each([301, 302, 303, 307, 308])(
    '(a redirect, %i) sends refresh token and credentials nowhere else',
    async (status) => {
      let visits = 0;
      elsewhere = await listen((_req, res) => {
        visits += 1;
        res.end();
      });
      flow = await startStale();
      const location = `http://127.0.0.1:${elsewhere.port}/token`;
      flow.op.lie({ refresh: { status, headers: { location }, body: '' } });
      expect(await callApi(flow)).toMatchObject({ status: 200 });
      expect([visits, flow.op.count('/token', 'refresh_token')]).toEqual([0, 1]);
    },
  );

  it.each<[string, AnswerLie['json']]>([
    ['token_type of another kind', (body) => ({ ...body, token_type: 'DPoP' })],
    ['an ID Token that is no text', (body) => ({ ...body, id_token: 7 })],
    ['an ID Token that is no JWT', (body) => ({ ...body, id_token: 'x' })],
  ])('(%s) ends the login: what came belongs to something else', async (_what, change = Object) => {
    flow = await startStale();
    expect(await callApi(flow)).toMatchObject({ status: 200 });
    flow.clock.advance(3545);
    flow.op.lie({ refresh: { json: change } });
    const refused = await callApi(flow);
    expect([refused.status, errorCode(refused)]).toEqual([401, 'ERR_OIDC_LOGIN_ENDED']);
    expect(await flow.storeKeys()).toEqual([]);
  });
});

describe('RFC 6749 6 the refresh token of the answer', () => {
  it('may be the same as before, and is sent again', async () => {
    flow = await startStale();
    let sent: string | undefined;
    flow.op.lie({
      refresh: {
        json: (body) => {
          [sent] = refreshTokensSent();
          return { ...body, refresh_token: sent };
        },
      },
    });
    expect(await callApi(flow)).toMatchObject({ status: 200 });
    flow.clock.advance(3545);
    await callApi(flow);
    expect(refreshTokensSent()).toEqual([sent, sent]);
  });
});
