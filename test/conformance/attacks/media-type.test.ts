import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import type { Hop } from '../../support/browser.ts';
import { errorCode, type Flow, startFlow } from '../../support/flow.ts';
import { upTo } from '../../support/half-login.ts';

const form = 'application/x-www-form-urlencoded';

let flow: Flow;
let callback: Hop;
beforeAll(async () => {
  flow = await startFlow();
  callback = await upTo(flow, '/callback');
});
afterAll(() => flow.close());

const post = async (
  body: string | Buffer | undefined,
  headers: Record<string, string>,
): Promise<{ status: number; text: string; headers: Headers }> => {
  const answer = await fetch(`${flow.baseUrl}/callback`, {
    method: 'POST',
    redirect: 'manual',
    headers: { Accept: 'text/html', ...headers },
    ...(body === undefined ? {} : { body: Buffer.from(body) }),
  });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
};

const body = (): string => callback.body ?? '';

describe('Form Post Response Mode 2 the media type', () => {
  it.each([
    form,
    `${form}; charset=utf-8`,
    `${form};charset="UTF-8"`,
    'Application/X-WWW-Form-Urlencoded',
    ` ${form} ; charset=utf-8`,
  ])('"%s" is taken', async (type) => {
    const answer = await post(body(), { 'Content-Type': type });
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toMatch(/^\/callback\?oidc_response=/);
  });

  it.each([
    'application/json',
    'text/plain',
    'multipart/form-data; boundary=x',
    `${form}-not`,
    `text/plain, ${form}`,
    'application/xml',
    form.replace('/', ' / '),
  ])('"%s" is not', async (type) => {
    const answer = await post(body(), { 'Content-Type': type });
    expect([answer.status, errorCode(answer)]).toEqual([415, 'ERR_OIDC_CALLBACK_MEDIA_TYPE']);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  it('none at all is not', async () => {
    const answer = await post(undefined, {});
    expect([answer.status, errorCode(answer)]).toEqual([415, 'ERR_OIDC_CALLBACK_MEDIA_TYPE']);
  });

  it.each(['utf-16', 'utf-7', 'shift_jis', 'x-unknown'])('charset %s is not', async (charset) => {
    const answer = await post(body(), { 'Content-Type': `${form}; charset=${charset}` });
    expect([answer.status, errorCode(answer)]).toEqual([415, 'ERR_OIDC_CALLBACK_MEDIA_TYPE']);
  });
});

describe('the encoding of the body', () => {
  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ])('%s is undone', async (encoding, compress) => {
    const compressed = Buffer.from(compress(body()));
    const answer = await post(compressed, { 'Content-Type': form, 'Content-Encoding': encoding });
    expect(answer.status).toBe(303);
  });

  it('gzip that is none is refused', async () => {
    const answer = await post(Buffer.from(body()), {
      'Content-Type': form,
      'Content-Encoding': 'gzip',
    });
    expect([answer.status, errorCode(answer)]).toEqual([400, 'ERR_OIDC_CALLBACK_BODY_UNREADABLE']);
  });

  it('one that nobody knows is refused', async () => {
    const answer = await post(Buffer.from(body()), {
      'Content-Type': form,
      'Content-Encoding': 'zip',
    });
    expect([answer.status, errorCode(answer)]).toEqual([415, 'ERR_OIDC_CALLBACK_MEDIA_TYPE']);
  });
});

describe('other methods', () => {
  it.each(['put', 'patch', 'delete'] as const)('%s is no callback', async (method) => {
    const answer = await request(flow.baseUrl)
      [method]('/callback')
      .set('Content-Type', form)
      .send(body());
    expect(answer.status).toBe(404);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });
});

describe('after all that', () => {
  it('the login is still there to be completed', async () => {
    expect(await flow.storeKeys()).toEqual([]);
    expect(flow.errors).toEqual([]);
    expect(await flow.browser.navigate(callback)).toMatchObject({ status: 200 });
  });
});
