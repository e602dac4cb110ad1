import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type HybridFlowError, subscribe } from 'passport-oidc-hybrid';
import { errorCode, type Flow, startFlow } from '../../support/flow.ts';
import { upTo } from '../../support/half-login.ts';

const form = 'application/x-www-form-urlencoded';
const tooLarge = [413, 'ERR_OIDC_CALLBACK_BODY_TOO_LARGE'];

let flow: Flow;
beforeEach(async () => {
  flow = await startFlow();
});
afterEach(() => flow.close());

async function post(
  body: string | Buffer,
  headers: Record<string, string> = {},
): Promise<[number, unknown]> {
  const answer = await fetch(`${flow.baseUrl}/callback`, {
    method: 'POST',
    headers: { 'Content-Type': form, Accept: 'text/html', ...headers },
    body: Buffer.from(body),
  });
  expect(answer.headers.getSetCookie()).toEqual([]);
  return [answer.status, errorCode({ text: await answer.text() })];
}

describe('a body that is too large', () => {
  it.each([
    ['one byte over the cap', `code=${'a'.repeat(65_536 - 4)}`],
    ['ten megabytes', `code=${'a'.repeat(10_000_000)}`],
    ['very many parameters', 'a&'.repeat(101)],
    ['a compressed body that grows', gzipSync(`code=${'a'.repeat(10_000_000)}`)],
  ])('%s is refused, and a login is still possible', async (_what, body) => {
    const headers = typeof body === 'string' ? {} : { 'Content-Encoding': 'gzip' };
    expect(await post(body, headers as Record<string, string>)).toEqual(tooLarge);
    expect(await flow.storeKeys()).toEqual([]);
    expect(flow.errors).toEqual([]);
    expect(await flow.signIn()).toMatchObject({ status: 200 });
  });

  it('is told to the developer by the words of the parser, without the body', async () => {
    const causes: unknown[] = [];
    const end = subscribe('refusal', ({ error }) => causes.push((error as HybridFlowError).cause));
    await post(`code=${'a'.repeat(65_536)}`);
    end();
    expect(causes).toEqual([new Error('request entity too large')]);
    expect(causes.map((cause) => Object.keys(Object(cause)))).toEqual([[]]);
  });

  it('up to the cap is read', async () => {
    const callback = await upTo(flow, '/callback');
    const padding = 'x'.repeat(65_536 - (callback.body ?? '').length - '&more='.length);
    const body = `${callback.body}&more=${padding}`;
    expect(body).toHaveLength(65_536);
    expect(await flow.browser.navigate({ ...callback, body })).toMatchObject({ status: 200 });
  });

  it('is so by the option callbackBodyLimitBytes', async () => {
    await flow.close();
    flow = await startFlow({ oidc: { callbackBodyLimitBytes: 1024 } });
    expect(await post(`code=${'a'.repeat(1020)}`)).toEqual(tooLarge);
    expect(await post(`code=${'a'.repeat(1019)}`)).toEqual([400, 'ERR_OIDC_STATE_MISSING']);
  });
});
