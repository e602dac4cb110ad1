import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Browser } from '../../support/browser.ts';
import { type Flow, startFlow } from '../../support/flow.ts';
import { upTo } from '../../support/half-login.ts';

let flow: Flow;
afterEach(() => flow.close());

const spoofs: [string, Record<string, string>][] = [
  ['Host', { Host: 'evil.example' }],
  ['Host with a user', { Host: 'localhost@evil.example' }],
  ['X-Forwarded-Host', { 'X-Forwarded-Host': 'evil.example' }],
  ['X-Forwarded-Host, two of them', { 'X-Forwarded-Host': 'evil.example, localhost' }],
  ['X-Forwarded-Proto', { 'X-Forwarded-Proto': 'javascript' }],
  ['Forwarded', { Forwarded: 'host=evil.example;proto=https' }],
  ['X-Original-URL', { 'X-Original-URL': 'https://evil.example/' }],
  ['X-Forwarded-Prefix', { 'X-Forwarded-Prefix': '//evil.example' }],
];

describe.each([false, true, 1])('a host that a request makes up, with trust proxy %s', (trust) => {
  const start = async (): Promise<void> => {
    flow = await startFlow({ before: (app) => void app.set('trust proxy', trust) });
  };

  it.each(spoofs)('%s has no say in a login', async (_name, headers) => {
    await start();
    const navigate = (url: string): ReturnType<Browser['perform']> =>
      flow.browser.perform({ method: 'GET', url, from: undefined, headers });
    for (const path of ['/login', '/private']) {
      const begun = await navigate(`${flow.baseUrl}${path}`);
      const location = new URL(begun.headers['location'] ?? '');
      expect(location.origin).toBe(flow.op.issuer);
      expect(location.searchParams.get('redirect_uri')).toBe(`${flow.baseUrl}/callback`);
      expect(JSON.stringify(begun.headers)).not.toContain('evil.example');
    }
    const callback = await upTo(flow, '/callback');
    const hop = await flow.browser.perform({ ...callback, headers });
    expect(hop.headers['location']).toMatch(/^\/callback\?oidc_response=/);
    const landed = await navigate(`${flow.baseUrl}${hop.headers['location']}`);
    expect(landed.headers['location']).toBe('/private');
    expect(flow.op.lastRequest('/token').parameters['redirect_uri']).toBe(
      `${flow.baseUrl}/callback`,
    );
  });

  it.each(spoofs)('%s has no say in a logout, nor in an error', async (_name, headers) => {
    await start();
    await flow.signIn();
    const out = await flow.browser.perform({
      method: 'GET',
      url: `${flow.baseUrl}/logout`,
      from: flow.baseUrl,
      headers,
    });
    const location = new URL(out.headers['location'] ?? '');
    expect(location.searchParams.get('post_logout_redirect_uri')).toBe(
      `${flow.baseUrl}/logout/callback`,
    );
    for (const path of ['/callback', '/api/x']) {
      const url = `${flow.baseUrl}${path}`;
      const refused = await flow.browser.fetch(url, { headers });
      expect(refused.status).toBeGreaterThanOrEqual(400);
      expect(JSON.stringify([refused.text, refused.headers])).not.toContain('evil.example');
    }
  });
});

describe('RFC 9112 3.2.2 a whole URL in the request line', () => {
  it.each(['/private', '/login?return_to=/private'])(
    'of another host: %s leads to this one',
    async (path) => {
      flow = await startFlow();
      const socket = connect(Number(new URL(flow.baseUrl).port), '127.0.0.1');
      socket.write(
        `GET http://evil.example${path} HTTP/1.1\r\nHost: evil.example\r\nAccept: text/html\r\nConnection: close\r\n\r\n`,
      );
      const answer = await text(socket);
      expect(answer).toMatch(/^HTTP\/1\.1 303 /);
      const location = new URL(/^location: (.*)$/im.exec(answer)?.[1] ?? '');
      expect(location.searchParams.get('redirect_uri')).toBe(`${flow.baseUrl}/callback`);
      expect(answer).not.toContain('evil.example');
    },
  );
});
