import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'cookie';
import fc from 'fast-check';
import {
  contentTypes,
  garbage,
  type Mutation,
  mutate,
  mutation,
  parameters,
  text,
} from '../support/fuzz-inputs.ts';
import {
  type BegunLogin,
  type FuzzRequest,
  type FuzzRig,
  startFuzzRig,
} from '../support/fuzz-rig.ts';

// All over real connections: 100,000 requests where everything is required, a fifth of them otherwise.
// FUZZ_INPUTS changes the number, FUZZ_SEED repeats a run.
const total = Number(process.env['FUZZ_INPUTS'] ?? (process.env['CI'] ? 100_000 : 20_000));
const seed = process.env['FUZZ_SEED'];
const batch = 50;
const timeout = 600_000;

let query: FuzzRig;
let hybrid: FuzzRig;
let sent = 0;
const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);

beforeAll(async () => {
  process.on('unhandledRejection', note);
  query = await startFuzzRig({ responseType: 'code', responseMode: 'query' });
  hybrid = await startFuzzRig({ responseType: 'code id_token token', responseMode: 'form_post' });
});
afterAll(async () => {
  process.off('unhandledRejection', note);
  await query.close();
  await hybrid.close();
});

/** Runs so many inputs, some at a time; every run must leave nothing behind. */
async function fuzz<Input>(
  share: number,
  input: fc.Arbitrary<Input>,
  run: (input: Input) => Promise<void>,
): Promise<void> {
  const inputs = fc.array(input, { minLength: batch, maxLength: batch });
  const property = fc.asyncProperty(inputs, async (all) => {
    await Promise.all(
      all.map((one) =>
        run(one).catch((cause: unknown) => {
          throw new Error(`${cause}, for ${JSON.stringify(one).slice(0, 2000)}`);
        }),
      ),
    );
    expect(unhandled).toEqual([]);
  });
  const numRuns = Math.ceil((total * share) / batch);
  const repeated = seed === undefined ? {} : { seed: Number(seed) };
  // What failed is named by its own error: making it smaller would take thousands of requests.
  await fc.assert(property, { numRuns, endOnFailure: true, reporter, ...repeated });
  for (const { flow } of [query, hybrid]) {
    expect(flow.errors).toEqual([]);
    expect(await flow.storeKeys()).toEqual([]);
  }
}

// 200 is a page that looks for more: a fragment, a cookie. 431 is Node's own, for what is too long.
const orderly = new Set([200, 400, 403, 413, 415, 431, 502, 503]);

/** The first failure, and the seed: the inputs of a whole batch would fill pages. */
function reporter(run: { failed: boolean; seed: number; errorInstance: unknown }): void {
  if (run.failed) throw new Error(`with FUZZ_SEED=${run.seed}: ${run.errorInstance}`);
}

/** Sends a request that must be answered in good order, and begin no session. */
async function refused(rig: FuzzRig, request: FuzzRequest): Promise<string | undefined> {
  sent += 1;
  const { status, hasSession, location } = await rig.send(request);
  if (hasSession) throw new Error('a session was begun');
  if (orderly.has(status)) return undefined;
  // The first hop goes on to the second, a login that is not known begins anew at the OP, and nothing
  // goes anywhere else.
  if (status === 303 && /^\/callback\?oidc_response=[\w-]+$/.test(location ?? '')) return location;
  if (status === 303 && location?.startsWith('https://op.example/authorize?')) return undefined;
  throw new Error(`answered by ${status}, ${location}`);
}

/** The login that was begun before this one. */
let before: BegunLogin = { cookie: '', response: [] };
function foreignOf(own: BegunLogin): BegunLogin {
  const foreign = before;
  before = own;
  return foreign;
}

const form = 'application/x-www-form-urlencoded';
const post = (body: string, type = form): FuzzRequest => ({
  method: 'POST',
  path: '/callback',
  headers: { 'content-type': type },
  body,
});
const get = (search: string, cookie?: string): FuzzRequest => ({
  method: 'GET',
  path: `/callback?${search}`,
  headers: cookie === undefined || cookie === '' ? {} : { cookie },
});

/** What may stand in a request line: the rest is percent-encoded, badly if it is bad. */
const asSearch = (raw: string): string =>
  raw.replace(/[^\u0021-\u007e]|#/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  );
const asCookie = (raw: string): string => raw.replace(/[^\u0020-\u007e]/gu, '?');

/** What an answer says, however it is spelled: two that say the same may both sign in. */
function meaning(pairs: readonly (readonly [string, string])[]): string {
  const used = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    if (value === '' || !names.includes(name)) continue;
    // Beside an ID Token, iss may be absent.
    if (name === 'iss' && value === 'https://op.example') continue;
    const same = name === 'id_token' ? decoded(value, '.') : value;
    const isCaseless = name === 'token_type';
    used.set(name, [...(used.get(name) ?? []), isCaseless ? same.toLowerCase() : same]);
  }
  return JSON.stringify([...used].sort());
}
/** Whether two cookies, or two sealed answers, are the same bytes: base64url has several spellings. */
const sameCookie = (one: string, other: string): boolean =>
  decoded(one.split('.').slice(0, 2).join('.'), '.') === decoded(other, '.');
const sameSeal = (one: string, other: string): boolean =>
  Buffer.from(one, 'base64url').equals(Buffer.from(other, 'base64url'));
const names = ['code', 'state', 'iss', 'id_token', 'access_token', 'token_type', 'error'];
const decoded = (value: string, separator: string): string =>
  value
    .split(separator)
    .map((part) => Buffer.from(part, 'base64url').toString('hex'))
    .join('.');

function changed(own: BegunLogin, foreign: BegunLogin, changes: readonly Mutation[]) {
  return changes.reduce(
    (pairs, change) => mutate(pairs, change, foreign.response),
    own.response as readonly (readonly [string, string])[],
  );
}
const search = (pairs: readonly (readonly [string, string])[]): string =>
  new URLSearchParams(pairs as [string, string][]).toString();

describe('the callback, whatever is sent to it', () => {
  it(
    'POST of made-up parameters and garbage',
    async () => {
      const input = fc.tuple(fc.oneof(parameters, garbage), contentTypes);
      await fuzz(0.3, input, async ([body, type]) => {
        const next = await refused(hybrid, post(body, type));
        if (next !== undefined) await refused(hybrid, get(next.slice('/callback?'.length)));
      });
    },
    timeout,
  );

  it(
    'POST of valid answers with changes, and what follows',
    async () => {
      const input = fc.array(mutation, { minLength: 1, maxLength: 3 });
      await fuzz(0.25, input, async (changes) => {
        const own = await hybrid.begin();
        const foreign = foreignOf(own);
        const pairs = changed(own, foreign, changes);
        if (meaning(pairs) === meaning(own.response)) return;
        const next = await refused(hybrid, post(search(pairs)));
        if (next !== undefined) {
          await refused(hybrid, get(next.slice('/callback?'.length), own.cookie));
        }
      });
    },
    timeout,
  );

  it(
    'GET of made-up parameters and garbage, in a browser with a login under way',
    async () => {
      const input = fc.tuple(fc.oneof(parameters, garbage), fc.boolean());
      await fuzz(0.2, input, async ([raw, isHybrid]) => {
        const rig = isHybrid ? hybrid : query;
        const { cookie } = await rig.begin();
        await refused(rig, get(asSearch(raw), cookie));
      });
    },
    timeout,
  );

  it(
    'GET of valid answers with changes',
    async () => {
      const input = fc.array(mutation, { minLength: 1, maxLength: 3 });
      await fuzz(0.15, input, async (changes) => {
        const own = await query.begin();
        const foreign = foreignOf(own);
        const pairs = changed(own, foreign, changes);
        if (meaning(pairs) === meaning(own.response)) return;
        await refused(query, get(search(pairs), own.cookie));
      });
    },
    timeout,
  );

  it(
    'GET of sealed answers and of transaction cookies with changes',
    async () => {
      const input = fc.tuple(mutation, fc.boolean());
      await fuzz(0.1, input, async ([change, isCookie]) => {
        const own = await hybrid.begin();
        const foreign = foreignOf(own);
        const { location = '' } = await hybrid.send(post(search(own.response)));
        sent += 1;
        const sealed = location.slice('/callback?oidc_response='.length);
        expect(sealed).not.toBe('');
        const other = [['', foreign.cookie.split('=')[1] ?? '']] as const;
        const [name = '', cookie = ''] = own.cookie.split('=');
        const [[, after = ''] = []] = mutate([['', isCookie ? cookie : sealed]], change, other);
        if (isCookie) {
          const header = `${name}=${asCookie(after)}`;
          if (sameCookie(parse(header)[name] ?? '', cookie)) return;
          await refused(hybrid, get(`oidc_response=${sealed}`, header));
        } else if (!sameSeal(after, sealed)) {
          await refused(hybrid, get(search([['oidc_response', after]]), own.cookie));
        }
      });
    },
    timeout,
  );

  it(
    'Cookie headers of any kind',
    async () => {
      const input = fc.tuple(text, fc.oneof(text, garbage));
      await fuzz(0.05, input, async ([name, value]) => {
        const own = await query.begin();
        const broken = `${asCookie(name)}=${asCookie(value)}; ${own.cookie.slice(0, -2)}`;
        await refused(query, get(search(own.response), broken));
      });
    },
    timeout,
  );

  it('was sent as many requests as it says', () => {
    expect(sent).toBeGreaterThanOrEqual(total * 0.95);
    process.stderr.write(`callback fuzz: ${sent} requests\n`);
  });
});

describe('the same application, afterward', () => {
  it('signs in whoever brings what was not changed', async () => {
    const one = await query.begin();
    expect(await query.send(get(search(one.response), one.cookie))).toEqual({
      status: 303,
      location: '/private',
      hasSession: true,
    });
    const two = await hybrid.begin();
    const { location = '' } = await hybrid.send(post(search(two.response)));
    expect(await hybrid.send(get(location.slice('/callback?'.length), two.cookie))).toEqual({
      status: 303,
      location: '/private',
      hasSession: true,
    });
  });
});
