import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Browser } from '../../support/browser.ts';
import { type Flow, startFlow } from '../../support/flow.ts';

let flow: Flow;
beforeAll(async () => {
  flow = await startFlow();
});
afterAll(() => flow.close());

/** Spellings of another place, as they stand in a query: already encoded where they have to be. */
const elsewhere = [
  'https://evil.example/',
  'HTTPS://evil.example/',
  'https:evil.example',
  'https:/evil.example',
  'http://localhost:1/',
  '//evil.example',
  '///evil.example',
  '////evil.example',
  '%2F%2Fevil.example',
  '/%2Fevil.example//..//evil.example',
  '/%5Cevil.example',
  '/%5C%5Cevil.example',
  '%5C%5Cevil.example',
  '/%09/evil.example',
  '/%0A/evil.example',
  '/%0D%0A/evil.example',
  '%09//evil.example',
  '%20//evil.example',
  '%00//evil.example',
  '/.//evil.example',
  '/..//evil.example',
  '/%2e//evil.example',
  '/a/..//evil.example',
  '/%2e%2e//evil.example',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'java%0Ascript:alert(1)',
  'data:text/html,hello',
  'blob:https://evil.example/x',
  '@evil.example',
  'user:password@evil.example',
  ':80@evil.example',
  '.evil.example',
  'evil.example',
  '?x',
  '#x',
  '%EF%BC%8F%EF%BC%8Fevil.example',
  '/%0D%0ALocation:%20https://evil.example',
  '',
];

/** Strange, and still a path of this application. */
const ours = [
  ['/private?next=https://evil.example', '/private?next=https://evil.example'],
  ['/private/..%2F..%2Fevil', '/evil'],
  ['/private/..%252F..%252Fevil', '/private/..%2F..%2Fevil'],
  ['/%C0%AF/evil.example', '/%EF%BF%BD%EF%BF%BD/evil.example'],
  ['/@evil.example', '/@evil.example'],
  ['/private%252F%252Fevil.example', '/private%2F%2Fevil.example'],
  ['/%E3%80%82evil.example', '/%E3%80%82evil.example'],
  ['/%EF%BC%8Fevil.example', '/%EF%BC%8Fevil.example'],
];

describe('RFC 9700 4.11 the end of a login', () => {
  it.each(elsewhere)('return_to=%s leads to the start page', async (wanted) => {
    const browser = new Browser();
    const arrival = await browser.navigate(`${flow.baseUrl}/login?return_to=${wanted}`);
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
    const location = arrival.history.at(-2)?.headers['location'];
    expect(location).toBe('/');
  });

  it.each(ours)('return_to=%s is a path of ours: %s', async (wanted, path) => {
    const arrival = await new Browser().navigate(`${flow.baseUrl}/login?return_to=${wanted}`);
    expect(arrival.url).toBe(`${flow.baseUrl}${path}`);
    expect(arrival.history.at(-2)?.headers['location']).toBe(path);
  });

  it('a guarded URL that looks like another host leads back to this one', async () => {
    const { origin } = new URL(flow.baseUrl);
    for (const path of ['//evil.example/', '/\\evil.example', '/api//evil.example/%2e%2e/..//x']) {
      const arrival = await new Browser().navigate(`${origin}${path}`);
      expect(arrival.url.startsWith(`${origin}/`)).toBe(true);
    }
  });

  it('several return_to: the first counts, and is checked', async () => {
    const url = `${flow.baseUrl}/login?return_to=//evil.example&return_to=/private`;
    expect((await new Browser().navigate(url)).url).toBe(`${flow.baseUrl}/`);
  });
});

describe('RFC 9700 4.11 the end of a logout', () => {
  it.each(elsewhere)('return_to=%s leads to the start page', async (wanted) => {
    const url = `${flow.baseUrl}/logout?return_to=${wanted}`;
    const arrival = await new Browser().navigate({ method: 'GET', url, from: flow.baseUrl });
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
  });

  it.each(elsewhere)('return_to=%s does not stand on the page that asks first', async (wanted) => {
    const url = `${flow.baseUrl}/logout?return_to=${wanted}`;
    const asked = await new Browser().perform({ method: 'GET', url, from: 'https://evil.example' });
    expect(asked.text).toContain('action="/logout?return_to=%2F"');
    expect(asked.text).not.toContain('evil.example');
  });
});
