import { afterEach, describe, expect, it } from '@jest/globals';
import helmet from 'helmet';
import type { Arrival, Visit } from '../../support/browser.ts';
import { type Flow, startFlow } from '../../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

/** Every page of ours on the way of a visitor, under a policy of the application that allows frames. */
const pages: [string, () => Promise<Arrival>, RegExp][] = [
  [
    'an error page',
    () => flow.browser.navigate(`${flow.baseUrl}/callback?error=x`),
    /ERR_OIDC_OP_ERROR/,
  ],
  [
    'the question before a logout',
    () =>
      flow.browser.navigate({
        method: 'GET',
        url: `${flow.baseUrl}/logout`,
        from: 'https://evil.example',
      }),
    /<form/,
  ],
  ['the form that goes to the OP', () => flow.signIn(), /<form[^>]*method="post"/],
  ['the page that reads a fragment', () => flow.signIn(), /replaceState/],
];

describe('RFC 9700 4.16 a frame around a page of ours', () => {
  it.each(pages)(
    'is refused by %s, and no page talks to other windows',
    async (_what, go, sign) => {
      flow = await startFlow({
        oidc: { responseMode: 'fragment', authorizationRequestMethod: 'post' },
        before: (app) => app.use(helmet({ contentSecurityPolicy: false, xFrameOptions: false })),
      });
      if (sign.source === '<form') await flow.signIn();
      const { history } = await go();
      const isOurs = ({ url, headers, text }: Visit): boolean =>
        url.startsWith(flow.baseUrl) &&
        /html/.test(headers['content-type'] ?? '') &&
        sign.test(text);
      const found = history.filter(isOurs);
      expect(found.length).toBeGreaterThan(0);
      for (const { headers, text } of found) {
        expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
        // RFC 9700 4.17: what one window tells another may be read by a third.
        expect(text).not.toMatch(/postMessage|opener|parent\b/);
      }
    },
  );
});
