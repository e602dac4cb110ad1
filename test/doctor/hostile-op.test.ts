import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type FakeOp, fakeOp } from 'passport-oidc-hybrid/testing';
import { runCommand } from '../../lib/doctor/command-line.ts';

let op: FakeOp;
beforeEach(async () => {
  op = await fakeOp();
});
afterEach(() => op.stop());

/** Answers in place of the OP, by path and by how often that path has been asked for. */
type Answer = (path: string, count: number) => Response | undefined;

async function doctor(
  answer: Answer,
  clientId = op.clientId,
  env: Record<string, string> = {},
): Promise<[number, string]> {
  const counts = new Map<string, number>();
  let output = '';
  const status = await runCommand(
    [
      'doctor',
      '--issuer',
      op.issuer,
      '--client-id',
      clientId,
      '--base-url',
      'http://localhost:3000',
    ],
    {
      env,
      readStdin: async () => '',
      print: (text) => {
        output += text;
      },
      fetch: async (input, init) => {
        const { pathname } = new URL(String(input));
        const count = (counts.get(pathname) ?? 0) + 1;
        counts.set(pathname, count);
        return answer(pathname, count) ?? fetch(input, init);
      },
    },
  );
  expect(output).not.toMatch(/(?!\n)\p{C}/u);
  return [status, output];
}

/** Sends for as long as somebody reads. */
const endless = (): Response =>
  new Response(
    new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) }),
  );

const atAuthorization =
  (response: () => Response): Answer =>
  (path) =>
    path === '/authorize' ? response() : undefined;

describe('doctor at a hostile OP', () => {
  it('is well with the OP that the others are one change away from', async () => {
    const [status, output] = await doctor(() => undefined);
    expect(status).toBe(0);
    expect(output).toMatch(/^ok +keys/m);
    expect(output).toMatch(/^ok +redirect URI/m);
  });

  it.each<[what: string, body: () => Response]>([
    ['text with escape sequences', () => new Response('\x1b[31m{}')],
    ['no keys but null', () => new Response('null')],
    ['no end', endless],
    ['a redirect', () => Response.json({ keys: [] }, { status: 302, headers: { location: '/' } })],
  ])('finds keys that are %s, and repeats nothing of it', async (_what, body) => {
    const [status, output] = await doctor((path, count) =>
      path === '/jwks' && count === 2 ? body() : undefined,
    );
    expect(output).toMatch(/^fail +keys/m);
    expect(status).toBe(1);
  });

  it('names a list of the discovery document that is none', async () => {
    const [status, output] = await doctor((path) =>
      path.startsWith('/.well-known')
        ? Response.json({
            issuer: op.issuer,
            authorization_endpoint: `${op.issuer}/authorize`,
            token_endpoint: `${op.issuer}/token`,
            jwks_uri: `${op.issuer}/jwks`,
            response_types_supported: 'code id_token\x1b[31m',
          })
        : undefined,
    );
    expect(output).toMatch(/^fail +discovery +"response_types_supported" .* list of names$/m);
    expect(status).toBe(1);
  });

  it.each<[what: string, response: () => Response]>([
    ['a page without end', endless],
    ['a page of opened tags only', () => new Response('<input '.repeat(100_000), { status: 400 })],
    ['a page of opened brackets', () => new Response('<'.repeat(1_000_000), { status: 400 })],
    [
      'a redirect to no URL',
      () => new Response(null, { status: 302, headers: { location: 'http://[' } }),
    ],
    [
      'a redirect to what only begins like the redirect URI',
      () =>
        new Response(null, {
          status: 302,
          headers: { location: 'http://localhost:3000/callback.elsewhere?error=login_required' },
        }),
    ],
  ])('does not call the redirect URI right by %s', async (_what, response) => {
    const [, output] = await doctor(atAuthorization(response));
    expect(output).toMatch(/^(note|fail) +redirect URI/m);
    expect(output).not.toMatch(/^ok +redirect URI/m);
  });

  it.each<[what: string, response: () => Response]>([
    ['no end', endless],
    ['a redirect', () => new Response(null, { status: 302, headers: { location: '/token' } })],
    ['text that is no JSON', () => new Response('\x1b[31mthank you', { status: 201 })],
    [
      'an error of escape sequences',
      () => Response.json({ error: '\x1b[31m', error_description: 'thank you' }, { status: 400 }),
    ],
  ])('finds a pushed request that is answered by %s', async (_what, response) => {
    op.lie({ requiresPushedRequests: true });
    const env = { CLIENT_SECRET: op.clientSecret };
    const [status, output] = await doctor(
      (path) => (path === '/par' ? response() : undefined),
      op.clientId,
      env,
    );
    expect(output).toMatch(/^fail +pushed request /m);
    expect(output).not.toMatch(/^ok +redirect URI|thank you/m);
    expect(status).toBe(1);
    expect((await doctor(() => undefined, op.clientId, env))[0]).toBe(0);
  });

  it('takes a reference with escape sequences to the OP as a parameter, and nowhere else', async () => {
    op.lie({ requiresPushedRequests: true });
    const request_uri = 'urn:x\x1b[31m&redirect_uri=https://evil.example';
    const [, output] = await doctor(
      (path) =>
        path === '/par'
          ? Response.json({ request_uri, expires_in: 60 }, { status: 201 })
          : undefined,
      op.clientId,
      { CLIENT_SECRET: op.clientSecret },
    );
    expect(output).not.toContain('[31m');
    expect(op.lastRequest('/authorize').parameters).toEqual({
      client_id: op.clientId,
      request_uri,
    });
  });

  it('prints no control characters of what it was given', async () => {
    const page = (): Response => new Response('unknown client', { status: 400 });
    const [status, output] = await doctor(atAuthorization(page), 'shop\x1b]0;x\x07');
    expect(output).toContain('does not know the client shop\u{FFFD}]0;x\u{FFFD}');
    expect(status).toBe(1);
  });
});
