import { afterEach, describe, expect, it } from '@jest/globals';
import express from 'express';
import { errorCode, type Flow, type FlowSetup, json, startFlow } from '../../support/flow.ts';
import { responseOf, upTo, withResponse } from '../../support/half-login.ts';

let flow: Flow;
afterEach(() => flow.close());

type Change = (response: URLSearchParams) => void;

/** Signs in with a response that was changed on its way. */
async function signInWith(change: Change, setup: FlowSetup = {}): Promise<[number, unknown]> {
  flow = await startFlow(setup);
  const callback = await upTo(flow, '/callback');
  const response = responseOf(callback);
  change(response);
  const arrival = await flow.browser.navigate(withResponse(callback, response));
  expect(flow.errors).toEqual([]);
  return [arrival.status, errorCode(arrival)];
}

const query: FlowSetup = { oidc: { responseType: 'code' } };
const everything: FlowSetup = { oidc: { responseType: 'code id_token token' } };
const bodyParser = (extended: boolean): FlowSetup => ({
  before: (app) => void app.use(express.urlencoded({ extended })),
});

describe('RFC 6749 3.1 a parameter twice', () => {
  const names = ['code', 'state', 'iss', 'id_token', 'access_token', 'token_type'];

  it.each(names)('%s: with the same value, another one, or none', async (name) => {
    for (const second of [undefined, 'other', '']) {
      const twice: Change = (response) => response.append(name, second ?? response.get(name) ?? '');
      expect(await signInWith(twice, everything)).toEqual([400, 'ERR_OIDC_PARAMETER_DUPLICATE']);
      await flow.close();
    }
    flow = await startFlow();
  });

  it.each(['code', 'state', 'iss'])('%s in a query', async (name) => {
    const outcome = await signInWith((response) => response.append(name, 'other'), query);
    expect(outcome).toEqual([400, 'ERR_OIDC_PARAMETER_DUPLICATE']);
  });

  it.each([true, false])('behind a body parser of the application, extended: %s', async (how) => {
    const twice: Change = (response) => response.append('code', 'other');
    expect(await signInWith(twice, bodyParser(how))).toEqual([400, 'ERR_OIDC_PARAMETER_DUPLICATE']);
  });

  it('that nobody uses does no harm', async () => {
    const twice: Change = (response) => {
      response.append('session_state', 'a');
      response.append('session_state', 'b');
    };
    expect(await signInWith(twice)).toEqual([200, undefined]);
  });
});

describe('a query beside the body', () => {
  it.each([
    'code=other&state=other&iss=other',
    'error=access_denied&state=other',
    'oidc_response=AAAA',
    'id_token=AAAA',
  ])('%s is not read', async (beside) => {
    flow = await startFlow();
    const callback = await upTo(flow, '/callback');
    const url = `${callback.url}?${beside}`;
    expect(json(await flow.browser.navigate({ ...callback, url }))).toMatchObject({ sub: 'ada' });
  });

  it('does not stand in for what the body lacks', async () => {
    flow = await startFlow();
    const callback = await upTo(flow, '/callback');
    const url = `${callback.url}?${callback.body}`;
    const arrival = await flow.browser.navigate({ ...callback, url, body: 'unknown=x' });
    expect([arrival.status, errorCode(arrival)]).toEqual([400, 'ERR_OIDC_RESPONSE_EMPTY']);
    expect(await flow.browser.navigate(callback)).toMatchObject({ status: 200 });
  });
});

describe('names that mean something to JavaScript', () => {
  const names = [
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '__proto__[code]',
    'constructor[prototype][code]',
  ];

  it.each(names)('%s is ignored, and pollutes nothing', async (name) => {
    for (const setup of [{}, query, bodyParser(true), bodyParser(false)]) {
      const outcome = await signInWith((response) => {
        response.append(name, 'polluted');
      }, setup);
      expect(outcome).toEqual([200, undefined]);
      expect(({} as Record<string, unknown>)['code']).toBeUndefined();
      expect(Object.keys(Object.prototype)).toEqual([]);
      await flow.close();
    }
    flow = await startFlow();
  });

  it.each(['code[]', 'code[0]', 'code[a]', 'Code', 'code ', ' code', 'code\u0000'])(
    '"%s" is not code',
    async (name) => {
      const outcome = await signInWith((response) => {
        response.set(name, response.get('code') ?? '');
        response.delete('code');
      }, query);
      expect(outcome).toEqual([400, 'ERR_OIDC_CODE_MISSING']);
    },
  );

  it('an object that a body parser made of a parameter is refused', async () => {
    const outcome = await signInWith((response) => {
      response.set('code[a]', response.get('code') ?? '');
      response.delete('code');
    }, bodyParser(true));
    expect(outcome).toEqual([400, 'ERR_OIDC_PARAMETER_MALFORMED']);
  });
});

describe('RFC 6749 appendix A values', () => {
  it.each(['code', 'state', 'iss', 'id_token', 'access_token', 'token_type'])(
    '%s is printable ASCII',
    async (name) => {
      for (const wrong of ['\u0141', 'a\r\nSet-Cookie: x=y', '\u0000', '\u007f', '\ud800']) {
        const outcome = await signInWith((response) => response.set(name, wrong), everything);
        expect(outcome).toEqual([400, 'ERR_OIDC_PARAMETER_MALFORMED']);
        await flow.close();
      }
      flow = await startFlow();
    },
  );

  it.each([
    ['code', 4097],
    ['state', 513],
    ['iss', 513],
    ['error', 129],
  ])('%s of %i characters is refused', async (name, length) => {
    const outcome = await signInWith((response) => response.set(name, 'x'.repeat(length)), query);
    expect(outcome).toEqual([400, 'ERR_OIDC_PARAMETER_MALFORMED']);
  });
});
