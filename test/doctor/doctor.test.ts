import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type FakeOp, fakeOp, type Lies } from 'passport-oidc-hybrid/testing';
import { runCommand, type Surroundings } from '../../lib/doctor/command-line.ts';

let op: FakeOp;
let args: Record<string, string | undefined>;
beforeEach(async () => {
  op = await fakeOp();
  args = { issuer: op.issuer, 'client-id': op.clientId, 'base-url': 'http://localhost:3000' };
});
afterEach(() => op.stop());

/** Runs `doctor` with the arguments of above, but for those that a test changes. */
async function doctor(
  changed: Record<string, string | undefined> = {},
  world: Partial<Surroundings> = {},
): Promise<{ status: number; output: string }> {
  const given = Object.entries({ ...args, ...changed }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, value],
  );
  let output = '';
  const surroundings: Surroundings = {
    env: { CLIENT_SECRET: op.clientSecret },
    readStdin: async () => '',
    print: (text) => {
      output += text;
    },
    ...world,
  };
  const status = await runCommand(['doctor', ...given], surroundings);
  expect(output).not.toContain(op.clientSecret);
  return { status, output };
}

/** The lines of an output that say what fails. */
const failures = (output: string): string[] => output.match(/^fail .*\n *change: .*$/gm) ?? [];

describe('doctor', () => {
  it('finds nothing to change where all is well, and says what it has looked at', async () => {
    const { status, output } = await doctor();
    expect(failures(output)).toEqual([]);
    expect([status, output.trimEnd().split('\n').at(-1)]).toEqual([0, 'Nothing has to change.']);
    const abouts = [
      'discovery',
      'response type',
      'response mode',
      'PKCE',
      'logout',
      'keys',
      'clock',
    ];
    for (const about of [...abouts, 'redirect URI', 'client']) {
      expect(output).toMatch(new RegExp(`^ok +${about}`, 'm'));
    }
    expect(op.count('/token', 'authorization_code')).toBe(1);
  });

  const metadata = (changed: Record<string, unknown>): Lies => ({
    discovery: { json: (document) => ({ ...document, ...changed }) },
  });

  it.each<[what: string, lies: Lies, changed: Record<string, string>, says: RegExp]>([
    [
      'a response type that the OP does not list',
      metadata({ response_types_supported: ['code', 'token id_token'] }),
      {},
      /lists: code, id_token token\n *change: .*responseType/,
    ],
    [
      'a response mode that it does not list',
      metadata({ response_modes_supported: ['query', 'fragment'] }),
      { 'response-mode': 'form_post' },
      /"form_post"; it lists: query, fragment\n *change: leave "responseMode" out/,
    ],
    [
      'signatures by a secret only',
      metadata({ id_token_signing_alg_values_supported: ['HS256'] }),
      {},
      /change: let the OP sign by an asymmetric/,
    ],
    [
      'no key to verify with',
      { jwks: { json: () => ({ keys: [{ kty: 'oct' }] }) } },
      {},
      /fail +keys/,
    ],
    [
      'a redirect URI that is not registered',
      { redirectUris: ['https://elsewhere.example/callback'] },
      {},
      /fail +redirect URI +the OP does not take http:\/\/localhost:3000\/callback .*\n *change: register exactly/,
    ],
    [
      'a response type that is not enabled for the client',
      { response: () => [['error', 'unauthorized_client']] },
      {},
      /refuses the request: unauthorized_client\n *change: enable "code id_token"/,
    ],
    [
      'another issuer in the document',
      metadata({ issuer: 'https://other.example' }),
      {},
      /fail +discovery .*\n *change: look at "issuer" in http:/,
    ],
  ])('finds %s', async (_what, lies, changed, says) => {
    op.lie(lies);
    const { status, output } = await doctor(changed);
    expect(output).toMatch(says);
    expect([status, failures(output)]).toEqual([1, [expect.anything()]]);
  });

  it('notes an answer that nothing binds to the issuer', async () => {
    op.lie(metadata({ authorization_response_iss_parameter_supported: undefined }));
    const code = await doctor({ 'response-type': 'code' });
    expect(code.output).toMatch(/^note +issuer .*\n *change: use "code id_token"/m);
    expect(code.status).toBe(0);
    expect((await doctor()).output).not.toMatch(/^note +issuer/m);
  });

  it('finds an issuer with a slash too many', async () => {
    const { status, output } = await doctor({ issuer: `${op.issuer}/` });
    expect([status, failures(output).length]).toEqual([1, 1]);
    expect(output).toContain('a slash at the end included');
  });

  it('finds a clock that is wrong, to either side, and not one that is right', async () => {
    for (const [seconds, side] of [
      [120, 'ahead of'],
      [-120, 'behind'],
    ] as const) {
      const { status, output } = await doctor({}, { now: () => Date.now() + seconds * 1000 });
      expect(output).toMatch(
        new RegExp(`fail +clock +this machine is 1[12]\\d seconds ${side} the OP`),
      );
      expect([status, failures(output).length]).toEqual([1, 1]);
    }
    expect((await doctor()).output).toMatch(/^ok +clock/m);
  });

  it('finds a wrong secret, and tries none where there is none', async () => {
    const wrong = await doctor({}, { env: { CLIENT_SECRET: 'a wrong one' } });
    expect(failures(wrong.output)).toEqual([expect.stringContaining('refuses its credentials')]);
    expect(wrong.output).not.toContain('a wrong one');
    const none = await doctor({}, { env: {} });
    expect([none.status, failures(none.output)]).toEqual([0, []]);
    expect(none.output).toContain('set CLIENT_SECRET');
    expect(op.count('/token')).toBe(1);
  });

  it('takes the secret from standard input', async () => {
    const { status, output } = await doctor(
      {},
      { env: {}, readStdin: async () => `${op.clientSecret}\n` },
    );
    expect(output).toContain('not tried');
    let printed = '';
    const list = Object.entries(args).flatMap(([name, value = '']) => [`--${name}`, value]);
    const world = { env: {}, readStdin: async () => `${op.clientSecret}\n` };
    const print = (text: string): void => {
      printed += text;
    };
    expect(
      await runCommand(['doctor', ...list, '--client-secret-stdin'], { ...world, print }),
    ).toBe(0);
    expect(printed).toContain('its credentials are right');
    expect(status).toBe(0);
  });

  it('knows an OP that refuses because nobody is signed in, as it was asked to', async () => {
    op.lie({ mustAsk: { error: 'login_required', prompts: ['login'] } });
    expect((await doctor()).output).toMatch(/^ok +redirect URI/m);
    op.lie({ responseMode: 'query' });
    expect((await doctor()).output).toMatch(/^ok +redirect URI/m);
  });

  it('says of a page that it cannot tell', async () => {
    op.asksUser = true;
    const { status, output } = await doctor();
    expect(output).toMatch(/^note +redirect URI +cannot tell/m);
    expect(status).toBe(0);
  });

  it('says what is the matter where the OP cannot be reached', async () => {
    await op.stop();
    const { status, output } = await doctor();
    expect([status, failures(output)]).toEqual([
      1,
      [expect.stringContaining('check the host name')],
    ]);
  });

  it.each([
    ['http://app.example', 'options'],
    ['not a url', 'options'],
  ])('finds a base URL that cannot be one: %s', async (baseUrl, about) => {
    const { status, output } = await doctor({ 'base-url': baseUrl });
    expect(failures(output)).toEqual([
      expect.stringMatching(new RegExp(`^fail +${about} .*baseUrl`)),
    ]);
    expect(status).toBe(1);
    expect(op.requests).toEqual([]);
  });

  it('speaks of proxies where the base URL is https', async () => {
    const { output } = await doctor({ 'base-url': 'https://app.example/shop' });
    expect(output).toContain("app.set('trust proxy', 1)");
    expect(output).toContain('https://app.example/shop/callback');
  });
});

describe('the command line', () => {
  it.each([[['--help']], [['doctor', '--help']], [['-h']], [['help']]])(
    'is explained to who asks, without a complaint: %j',
    async (asked) => {
      let output = '';
      const print = (text: string): void => {
        output += text;
      };
      expect(await runCommand(asked, { env: {}, readStdin: async () => '', print })).toBe(0);
      expect(output).toMatch(/^usage: npx passport-oidc-hybrid doctor/);
    },
  );

  it.each([
    [['--client-secret', 's3cret'], 'must not be an argument'],
    [['--client-secret=s3cret'], 'must not be an argument'],
    [['--isuer', 'x'], "Unknown option '--isuer'"],
    [['--issuer', 'https://op.example'], '--client-id is missing'],
  ])('is explained where it is wrong: %j', async (wrong, says) => {
    let output = '';
    const print = (text: string): void => {
      output += text;
    };
    const world = { env: {}, readStdin: async () => '', print };
    expect(await runCommand(['doctor', ...wrong], world)).toBe(2);
    expect(output).toContain(says);
    expect(output).toContain('usage: npx passport-oidc-hybrid doctor');
    expect(output).not.toContain('s3cret');
    expect(await runCommand([], world)).toBe(2);
  });
});
