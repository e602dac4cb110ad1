import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { escapeHtml } from '../../lib/http/pages.ts';
import { type Flow, startFlow } from '../support/flow.ts';

let flow: Flow;

describe("this library's pages", () => {
  afterEach(() => flow.close());

  it('have a policy that names the hash of their style, and allows nothing else', async () => {
    flow = await startFlow();
    const { headers, text } = await flow.browser.navigate(`${flow.baseUrl}/callback?state=b`);
    const style = /<style>(.*)<\/style>/.exec(text)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(headers['content-security-policy']).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    );
    expect(text).not.toMatch(/<script|onload|style=/);
  });
});

describe('text in a page', () => {
  it('cannot end what it stands in', () => {
    expect(escapeHtml(`<a href="x" title='y'>&amp;`)).toBe(
      '&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;',
    );
  });
});
