import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type FakeOp, fakeOp, type Lies } from 'passport-oidc-hybrid/testing';
import { runCommand, type Surroundings } from '../../lib/doctor/command-line.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = String(privateKey.export({ format: 'pem', type: 'pkcs8' }));
const files: Readonly<Record<string, string>> = {
  'client.pem': pem,
  'client.jwk': JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: '2026' }),
  'broken.jwk': '{ "kty": "EC", "d": "a secret of the key"',
  'certificate.pem': '-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----',
};

let op: FakeOp;
beforeEach(async () => {
  op = await fakeOp();
});
afterEach(() => op.stop());

async function doctor(
  further: readonly string[],
  world: Partial<Surroundings> = {},
): Promise<{ status: number; output: string }> {
  const client = ['--issuer', op.issuer, '--client-id', op.clientId];
  let output = '';
  const status = await runCommand(
    ['doctor', ...client, '--base-url', 'http://localhost:3000', ...further],
    {
      env: {},
      readStdin: async () => '',
      readFile: async (path) => {
        const text = files[path];
        if (text === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' });
        return text;
      },
      print: (text) => {
        output += text;
      },
      version: '1.2.3',
      ...world,
    },
  );
  expect(output).not.toContain('a secret of the key');
  expect(output).not.toContain(op.clientSecret);
  return { status, output };
}

const withSecret = (): Partial<Surroundings> => ({ env: { CLIENT_SECRET: op.clientSecret } });
const metadata = (changed: Record<string, unknown>): Lies => ({
  discovery: { json: (document) => ({ ...document, ...changed }) },
});
const takesKeys = {
  token_endpoint_auth_methods_supported: ['private_key_jwt'],
  token_endpoint_auth_signing_alg_values_supported: ['ES256'],
};

/** The lines of an output that say what fails. */
const failures = (output: string): string[] => output.match(/^fail .*\n *change: .*$/gm) ?? [];

describe('doctor, of a client with a key', () => {
  it.each([
    ['client.pem', [], 'without a "kid"'],
    ['client.pem', ['--client-key-id', '2026'], 'with a "kid"'],
    ['client.jwk', [], 'with a "kid"'],
  ])('reads %s %j, and sees that the OP takes what it signs by', async (file, more, kid) => {
    op.lie(metadata(takesKeys));
    const { output } = await doctor(['--client-key', file, ...more]);
    expect(output).toMatch(/^ok +client auth +"private_key_jwt" is offered$/m);
    expect(output).toMatch(
      new RegExp(`^ok +client key +can be read; it signs by ES256, ${kid}$`, 'm'),
    );
    const assertion = op.requests.find(({ path }) => path === '/token')?.parameters;
    expect(assertion).toMatchObject({ client_assertion: expect.stringMatching(/^ey/) });
    // This OP knows no keys of clients.
    expect(failures(output)).toEqual([expect.stringContaining('refuses its credentials')]);
  });

  it.each<[what: string, changed: Record<string, unknown>, says: RegExp]>([
    [
      'lists no such client authentication',
      { token_endpoint_auth_methods_supported: ['client_secret_basic'] },
      /the client authentication "private_key_jwt"; it lists: client_secret_basic\n *change: set/,
    ],
    [
      'does not take what it signs by',
      { token_endpoint_auth_signing_alg_values_supported: ['PS256', 'RS256'] },
      /does not list ES256, .*; it lists: PS256, RS256\n *change: set "alg" of "clientKey"/,
    ],
  ])('finds an OP that %s', async (_what, changed, says) => {
    op.lie(metadata({ ...takesKeys, ...changed }));
    const { status, output } = await doctor(['--client-key', 'client.pem']);
    expect(failures(output)[0]).toMatch(says);
    expect(status).toBe(1);
  });

  it.each([
    [['--client-key', 'broken.jwk'], '"clientKey" cannot be read'],
    [['--client-key', 'client.pem', '--client-key-alg', 'RS256'], 'an "alg" of its key: ES256'],
    [['--auth-method', 'private_key_jwt'], '"clientKey" is required'],
    [['--auth-method', 'by_word_of_mouth'], 'tokenEndpointAuthMethod'],
    [
      ['--certificate', 'certificate.pem', '--certificate-key', 'client.pem'],
      '"clientCertificate.cert" must be a certificate',
    ],
  ])('finds before all else what cannot be: %j', async (further, says) => {
    const { status, output } = await doctor(further);
    expect(failures(output)).toEqual([expect.stringMatching(/^fail +options/)]);
    expect(output).toContain(says);
    expect([status, op.requests]).toEqual([1, []]);
  });

  it.each([
    [['--client-key', 'nowhere.pem'], '--client-key: cannot read nowhere.pem (ENOENT)'],
    [['--certificate', 'certificate.pem'], '--certificate and --certificate-key belong together'],
  ])('is told by the command line what is missing: %j', async (further, says) => {
    const { status, output } = await doctor(further);
    expect([status, output.split('\n')[0]]).toEqual([2, says]);
  });

  it('tries a public client where it is told that it is one', async () => {
    op.lie(metadata({ token_endpoint_auth_methods_supported: ['none'] }));
    const { output } = await doctor(['--auth-method', 'none']);
    expect(output).toMatch(/^ok +client auth +"none" is offered$/m);
    expect(op.count('/token', 'authorization_code')).toBe(1);
  });
});

describe('doctor, at an OP that takes pushed requests', () => {
  it('pushes one as the client, and says that it may', async () => {
    const { status, output } = await doctor([], withSecret());
    expect(output).toMatch(/^ok +pushed request .*"pushedAuthorizationRequests"$/m);
    expect([status, op.count('/par')]).toEqual([0, 1]);
  });

  it('pushes none without credentials, or with wrong ones', async () => {
    await doctor([]);
    const { output } = await doctor([], { env: { CLIENT_SECRET: 'another one' } });
    expect(failures(output)).toEqual([expect.stringMatching(/^fail +client /)]);
    expect(op.count('/par')).toBe(0);
  });

  it('and no other, tries the redirect URI by it', async () => {
    op.lie({ requiresPushedRequests: true });
    const { output } = await doctor([], withSecret());
    expect(output).toMatch(/^ok +pushed request .*demands them$/m);
    expect(output).toMatch(/^ok +redirect URI/m);
    const asked = op.requests.find(({ path }) => path === '/authorize')?.parameters;
    expect(Object.keys(asked ?? {}).sort()).toEqual(['client_id', 'request_uri']);
    expect((await doctor([])).output).toMatch(/^note +redirect URI +not tried: .* pushed/m);
  });

  const refuses = { pushedRequest: { status: 400, body: '{"error":"invalid_redirect_uri"}' } };
  it.each<[what: string, lies: Lies, verdict: string, expected: number]>([
    ['demands them', { ...refuses, requiresPushedRequests: true }, 'fail', 1],
    ['takes others', refuses, 'note', 0],
  ])('says why one is refused, where the OP %s', async (_what, lies, verdict, expected) => {
    op.lie(lies);
    const { status, output } = await doctor([], withSecret());
    const says = `^${verdict} +pushed request .*: invalid_redirect_uri\n *change: register exactly http:`;
    expect(output).toMatch(new RegExp(says, 'm'));
    expect(status).toBe(expected);
  });

  it('repeats no word of the OP', async () => {
    op.lie({ pushedRequest: { status: 400, body: '{"error":"\\u001b[31mOP says"}' } });
    const { output } = await doctor([], withSecret());
    expect(output).toMatch(/^note +pushed request +the OP takes none: /m);
    expect(output).not.toMatch(/OP says|(?!\n)\p{C}/u);
  });
});

describe('doctor itself', () => {
  it.each(['DPoP', 'Bearer'])(
    'warns of an OP that gives a token of type %s for a code that it never issued',
    async (type) => {
      const answer = { access_token: 'at', token_type: type };
      const { status, output } = await doctor([], {
        ...withSecret(),
        fetch: async (input, init) =>
          String(input).endsWith('/token') ? Response.json(answer) : fetch(input, init),
      });
      expect(failures(output)).toEqual([expect.stringContaining('do not use this OP')]);
      expect(status).toBe(1);
    },
  );

  it('says in one sentence what to do where it fails in a way that nobody has foreseen', async () => {
    const failure = Object.assign(new RangeError('a secret of the key'), { code: 'EIO' });
    const readStdin = (): Promise<string> => Promise.reject(failure);
    const { status, output } = await doctor(['--client-secret-stdin'], { readStdin });
    expect(output).toMatch(
      /^The doctor itself has failed \(RangeError, EIO\).*report it.* 1\.2\.3 on Node v\d+\.\d+\.\d+\.\n$/,
    );
    expect(status).toBe(3);
  });
});
