import { afterEach, describe, expect, it } from '@jest/globals';
import { attemptIdOf, type LogLine, logTo } from 'passport-oidc-hybrid';
import { Browser, type Hop } from './support/browser.ts';
import { type Flow, startFlow } from './support/flow.ts';

let flow: Flow;
let end = (): void => {};
afterEach(async () => {
  end();
  await flow.close();
});

/** Every line that is written from now on. */
function listen(): LogLine[] {
  const lines: LogLine[] = [];
  end = logTo((line) => lines.push(line));
  return lines;
}

const messages = (lines: LogLine[]): string[] => lines.map(({ message }) => message);

describe('logTo()', () => {
  it('follows a login through both hops by one id, and on to its end by another', async () => {
    flow = await startFlow();
    const lines = listen();
    await flow.signIn();
    flow.clock.advance(4000);
    await flow.browser.fetch(`${flow.baseUrl}/api/x`);
    await flow.browser.navigate({
      method: 'GET',
      url: `${flow.baseUrl}/logout`,
      from: flow.baseUrl,
    });
    const steps = ['login begun', 'answer received', 'answer belongs to a login', 'signed in'];
    expect(messages(lines)).toEqual([...steps, 'token refreshed', 'signed out']);
    const attempts = new Set(lines.slice(0, 4).map(({ attemptId }) => attemptId));
    expect([...attempts]).toEqual([expect.stringMatching(/^[\w-]{16}$/)]);
    const logins = new Set(lines.slice(3).map(({ loginId }) => loginId));
    expect([...logins]).toEqual([expect.stringMatching(/^[\w-]{16}$/)]);
    expect(lines.at(-1)).toMatchObject({ level: 'info', flow: 'oidc', by: 'user' });
  });

  it('keeps the logins of two tabs apart', async () => {
    flow = await startFlow();
    const lines = listen();
    const toOp = { until: (next: { url: string }) => next.url.startsWith(flow.op.issuer) };
    const one = await flow.browser.navigate(`${flow.baseUrl}/private`, toOp.until);
    const two = await flow.browser.navigate(`${flow.baseUrl}/private`, toOp.until);
    for (const tab of [two, one]) await flow.browser.navigate(tab.next ?? '');
    const [first, second] = lines.map(({ attemptId }) => attemptId);
    expect(first).not.toBe(second);
    const signedIn = lines.filter(({ message }) => message === 'signed in');
    expect(signedIn.map(({ attemptId }) => attemptId)).toEqual([second, first]);
  });

  it.each([
    [
      'in the first hop',
      { frontIdToken: { claims: { c_hash: 'no' } } },
      'ERR_OIDC_C_HASH_MISMATCH',
      1,
    ],
    [
      'in the second hop',
      { backIdToken: { claims: { nonce: 'no' } } },
      'ERR_OIDC_ID_TOKEN_NONCE',
      3,
    ],
  ])('tells by the same id of a login that fails %s, and why', async (_where, lie, code, steps) => {
    flow = await startFlow();
    const lines = listen();
    flow.op.lie(lie);
    await flow.signIn();
    expect(messages(lines).slice(steps)).toEqual(['login refused', 'request failed']);
    for (const line of lines.slice(steps)) {
      expect(line).toMatchObject({ level: 'warn', code, detail: expect.stringMatching(/./) });
    }
    expect(new Set(lines.map(({ attemptId }) => attemptId)).size).toBe(1);
  });

  it('tells by the same id of an answer that comes to a browser without that login', async () => {
    flow = await startFlow();
    const lines = listen();
    const { next } = await flow.browser.navigate(
      `${flow.baseUrl}/private`,
      ({ method }) => method === 'POST',
    );
    const script = { 'Sec-Fetch-Mode': 'cors' };
    const stranger = await new Browser().perform({ ...(next as Hop), headers: script });
    await new Browser().perform({ ...(stranger.next as Hop), headers: script });
    expect(messages(lines).slice(2)).toEqual(['login refused', 'request failed']);
    expect(lines.at(-1)).toMatchObject({ code: 'ERR_OIDC_TRANSACTION_UNKNOWN' });
    expect(new Set(lines.map(({ attemptId }) => attemptId)).size).toBe(1);
  });

  it('names the attempt before, where a login begins again by itself', async () => {
    flow = await startFlow();
    const lines = listen();
    flow.op.lie({ mustAsk: { error: 'login_required', prompts: ['login'] } });
    await flow.browser.navigate(`${flow.baseUrl}/login?return_to=/private`);
    const begun = lines.filter(({ message }) => message === 'login begun');
    expect(begun).toHaveLength(2);
    expect(begun[1]).toMatchObject({ after: begun[0]?.attemptId });
    expect(lines.at(-1)).toMatchObject({ message: 'signed in', attemptId: begun[1]?.attemptId });
  });

  it('has an outage as a warning, and names no user', async () => {
    flow = await startFlow();
    const lines = listen();
    await flow.signIn();
    flow.op.lie({ refreshOutage: () => ({ status: 503 }) });
    flow.clock.advance(3595);
    await flow.browser.fetch(`${flow.baseUrl}/api/x`);
    expect(lines.at(-1)).toMatchObject({
      level: 'warn',
      message: 'refresh failed, the login goes on',
      code: 'ERR_OIDC_PROVIDER_UNAVAILABLE',
    });
    expect(JSON.stringify(lines)).not.toContain('ada');
  });

  it('says of an error of the application its class only', async () => {
    class QuotaError extends Error {}
    QuotaError.prototype.name = 'QuotaError';
    flow = await startFlow({
      oidc: {
        verify: ({ accessToken }) => {
          throw new QuotaError(`too many for ${accessToken}`);
        },
      },
    });
    const lines = listen();
    await flow.signIn();
    const refused = lines.find(({ message }) => message === 'login refused');
    expect(refused).toMatchObject({ code: 'QuotaError' });
    expect(refused).not.toHaveProperty('detail');
  });

  it('is silent once it has been ended; requests are known by their attempt', async () => {
    const known: (string | undefined)[] = [];
    flow = await startFlow({
      before: (app) =>
        app.use((req, res, next) => {
          res.on('finish', () => known.push(attemptIdOf(req)));
          next();
        }),
    });
    const lines = listen();
    await flow.browser.navigate(`${flow.baseUrl}/login`);
    const heard = lines.length;
    expect(new Set(known.filter(Boolean)).size).toBe(1);
    end();
    await flow.browser.navigate(`${flow.baseUrl}/login`);
    expect(lines).toHaveLength(heard);
  });
});
