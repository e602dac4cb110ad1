import { inspect } from 'node:util';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Lies } from '../../lib/testing/lies.ts';
import { type Arrival, Browser } from '../support/browser.ts';
import { type Flow, sealingSecret, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

const failures: [name: string, lies: Lies][] = [
  ['nothing fails', {}],
  ['the nonce', { frontIdToken: { claims: { nonce: 'other' } } }],
  ['the hash of the code', { frontIdToken: { claims: { c_hash: 'wrong' } } }],
  ['the second subject', { backIdToken: { claims: { sub: 'eve' } } }],
  [
    'the token endpoint',
    {
      token: {
        status: 400,
        body: '{"error":"invalid_grant","error_description":"text of the OP"}',
      },
    },
  ],
  [
    'the answer of the token endpoint',
    { token: { json: (body) => ({ ...body, token_type: 'mac' }) } },
  ],
  [
    'the access token',
    { token: { json: (body) => ({ ...body, access_token: `a\n${body['access_token']}` }) } },
  ],
];

describe('no secret leaves', () => {
  it.each(failures)('in errors, pages, URLs and output when %s', async (_name, lies) => {
    const errors: unknown[] = [];
    const output: unknown[] = [];
    const outputs = [process.stdout, process.stderr].map((stream) =>
      jest.spyOn(stream, 'write').mockImplementation((text) => output.push(text) > 0),
    );
    flow = await startFlow({
      oidc: {
        responseType: 'code id_token token',
        onError: ({ error, res }) => {
          errors.push(error);
          res.status(400).send(error instanceof Error ? `${error.name}: ${error.message}` : '');
        },
      },
    });
    flow.op.lie(lies);
    const arrival: Arrival = await flow.signIn();
    for (const stream of outputs) stream.mockRestore();

    const ours = arrival.history.filter(({ url }) => url.startsWith(flow.baseUrl));
    const seen = [
      // The page that the application itself makes shows the bearer token, to be looked at.
      ...ours
        .filter(({ url }) => !url.endsWith('/private'))
        .map(({ text, url, headers }) => [text, url, headers]),
      ...errors.map((error) => [
        inspect(error, { depth: 20, showHidden: true }),
        JSON.stringify(error),
      ]),
      output,
      inspect(flow.oidc, { depth: 10 }),
      inspect(
        flow.oidc.strategy(() => false),
        { depth: 10 },
      ),
    ];
    const text = JSON.stringify(seen);
    const secrets = [flow.op.clientSecret, sealingSecret, ...flow.op.handedOut];
    expect(secrets.length).toBeGreaterThan(4);
    for (const secret of secrets) expect(text.includes(secret)).toBe(false);
    expect(arrival.text).not.toContain('text of the OP');
  });

  it('a page shows no message in production, and no stack ever', async () => {
    flow = await startFlow();
    const before = process.env['NODE_ENV'];
    try {
      process.env['NODE_ENV'] = 'production';
      const page = await new Browser().navigate(`${flow.baseUrl}/callback?state=b`);
      expect(page.text).toContain('ERR_OIDC_TRANSACTION_UNKNOWN');
      expect(page.text).not.toContain('this browser has no login');
      expect(page.text).not.toContain('docs/errors.md');
      process.env['NODE_ENV'] = 'development';
      const open = await new Browser().navigate(`${flow.baseUrl}/callback?state=b`);
      expect(open.text).toContain('this browser has no login');
      expect(open.text).toContain('docs/errors.md');
      expect(open.text).not.toMatch(/\.ts:\d+/);
    } finally {
      process.env['NODE_ENV'] = before;
    }
  });
});
