import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { AnswerLie } from '../../../lib/testing/lies.ts';
import { errorCode, type Flow, startFlow } from '../../support/flow.ts';
import { type Listening, listen } from '../../support/listen.ts';
import { expectRefusal } from '../../support/refusals.ts';

let flow: Flow;
let elsewhere: Listening | undefined;
afterEach(async () => {
  await flow.close();
  await elsewhere?.close();
  elsewhere = undefined;
});

const json = { 'content-type': 'application/json' };

describe('a token endpoint that lies', () => {
  it.each([
    ['garbage', { body: '{"access_token":' }, 502, 'PROVIDER_RESPONSE'],
    ['bytes that are no text', { body: '\u0000\ufffd\u0001' }, 502, 'PROVIDER_RESPONSE'],
    ['nothing', { body: '' }, 502, 'PROVIDER_RESPONSE'],
    ['JSON that is no object', { body: '[]' }, 502, 'PROVIDER_RESPONSE'],
    ['null', { body: 'null' }, 502, 'PROVIDER_RESPONSE'],
    ['a page', { headers: { 'content-type': 'text/html' }, body: '<p>' }, 502, 'PROVIDER_RESPONSE'],
    ['very deep JSON', { body: '['.repeat(100_000) }, 502, 'PROVIDER_RESPONSE'],
    ['a megabyte', { body: `"${'x'.repeat(2 ** 20)}"` }, 502, 'PROVIDER_RESPONSE'],
    ['a body that never ends', { answer: (res) => void endless(res) }, 502, 'PROVIDER_RESPONSE'],
    [
      'a compressed body that grows',
      {
        answer: (res) => {
          res.writeHead(200, { ...json, 'content-encoding': 'gzip' });
          res.end(gzipSync(Buffer.alloc(50_000_000)));
        },
      },
      502,
      'PROVIDER_RESPONSE',
    ],
    [
      'compression that is none',
      { headers: { ...json, 'content-encoding': 'gzip' }, body: '{}' },
      503,
      'PROVIDER_UNREACHABLE',
    ],
    [
      'a broken connection',
      { answer: (res) => void res.socket?.destroy() },
      503,
      'PROVIDER_UNREACHABLE',
    ],
    [
      'a body that breaks off',
      { answer: (res) => void res.writeHead(200).write('{', () => res.socket?.destroy()) },
      503,
      'PROVIDER_UNREACHABLE',
    ],
    [
      'no HTTP',
      { answer: (res) => void res.socket?.end('SSH-2.0-OpenSSH\r\n') },
      503,
      'PROVIDER_UNREACHABLE',
    ],
    [
      'an access token that breaks headers',
      { json: (body) => ({ ...body, access_token: 'a\r\nX-Evil: b' }) },
      502,
      'PROVIDER_RESPONSE',
    ],
    [
      'members of the prototype',
      { body: '{"__proto__":{"access_token":"a","token_type":"Bearer","id_token":"b"}}' },
      502,
      'PROVIDER_RESPONSE',
    ],
  ] as [string, AnswerLie, number, string][])(
    'with %s signs nobody in',
    async (_what, token, status, code) => {
      flow = await startFlow();
      await expectRefusal(flow, { token }, code, status);
    },
  );

  it.each([301, 302, 303, 307, 308])(
    'with a redirect (%i) does not get code or credentials sent elsewhere',
    async (status) => {
      let visits = 0;
      elsewhere = await listen((_req, res) => {
        visits += 1;
        res.end();
      });
      flow = await startFlow();
      const location = `http://127.0.0.1:${elsewhere.port}/token`;
      const token = { status, headers: { location }, body: '' };
      await expectRefusal(flow, { token }, 'PROVIDER_RESPONSE', 502);
      expect(visits).toBe(0);
    },
  );

  it.each([
    ['that answers nothing', () => undefined],
    ['that sends a byte and stops', (res) => void res.writeHead(200, json).write('{')],
  ] as [string, NonNullable<AnswerLie['answer']>][])(
    '%s is waited for no longer than httpTimeoutSeconds',
    async (_how, answer) => {
      flow = await startFlow({ oidc: { httpTimeoutSeconds: 1 } });
      flow.op.lie({ token: { answer } });
      const arrival = await flow.signIn();
      expect([arrival.status, errorCode(arrival)]).toEqual([503, 'ERR_OIDC_PROVIDER_TIMEOUT']);
      expect(arrival.headers).toMatchObject({ 'retry-after': '5' });
      expect(await flow.storeKeys()).toEqual([]);
    },
  );
});

/** Writes for as long as there is somebody to read. */
function endless(res: ServerResponse): void {
  while (!res.destroyed && res.write('x'.repeat(65_536)));
  if (!res.destroyed) res.once('drain', () => endless(res));
}
