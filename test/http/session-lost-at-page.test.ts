import type { IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createProxyMiddleware } from 'http-proxy-middleware';
import type { Arrival, Hop } from '../support/browser.ts';
import { startTickingClock } from '../support/clock.ts';
import { errorCode, type Flow, type FlowSetup, startFlow } from '../support/flow.ts';
import { type Listening, listen } from '../support/listen.ts';
import { publishedErrors } from '../support/published-errors.ts';

let flow: Flow;
let front: Listening | undefined;
afterEach(async () => {
  await flow.close();
  await front?.close();
  front = undefined;
});

/** Two logins never happen in the same moment. */
async function start(setup: FlowSetup = {}): Promise<void> {
  flow = await startFlow({ clock: startTickingClock(), ...setup });
}

/** With something in between that changes requests for the guarded page, or takes them elsewhere. */
async function startBehind(
  change: (req: IncomingMessage) => Flow | undefined,
  setup: FlowSetup = {},
): Promise<FlowSetup> {
  const passTo = createProxyMiddleware<IncomingMessage>({
    router: (req) => {
      const isPage = req.url?.startsWith('/private') === true;
      return ((isPage ? change(req) : undefined) ?? flow).listensAt;
    },
  });
  front = await listen((req, res) => void passTo(req, res, () => undefined));
  const oidc = { ...setup.oidc, baseUrl: `http://localhost:${front.port}` };
  await start({ ...setup, oidc });
  return { ...setup, oidc, op: flow.op, clock: flow.clock };
}

/** In parts: a browser gives up after 20 redirects, and these are more. */
async function goTo(
  url: string,
  { secondsForEach = 0, headers = {} } = {},
  browser = flow.browser,
): Promise<Arrival> {
  let next: Hop | undefined = { method: 'GET', url, from: undefined, headers };
  let arrival: Arrival | undefined;
  while (next !== undefined) {
    let left = 15;
    arrival = await browser.navigate(next, () => {
      flow.clock.advance(secondsForEach);
      left -= 1;
      return left === 0;
    });
    next = arrival.next;
    expect(asked()).toBeLessThan(20);
  }
  return arrival as Arrival;
}

/** As browsers see it. */
const baseUrl = (): string => `http://localhost:${front?.port}`;
const asked = (): number => flow.op.count('/authorize');
const ways = [
  ['code id_token', 'form_post'],
  ['code id_token', 'fragment'],
  ['code', 'query'],
] as const;
const rows = ways.flatMap((way) => (['lax', 'strict'] as const).map((site) => [...way, site]));

const older = 'connect.sid=s%3Aold.signature; Path=/private';
/** Takes cookies away whose name begins so. */
const withoutCookies =
  (start: string) =>
  (req: IncomingMessage): undefined => {
    const left = (req.headers.cookie ?? '')
      .split('; ')
      .filter((cookie) => !cookie.startsWith(start));
    delete req.headers.cookie;
    if (left.length > 0) req.headers.cookie = left.join('; ');
  };

describe('a session that the callback sees, and the page does not', () => {
  it.each(rows)(
    'ends after one more login, on a page that says why: "%s" by %s, session cookie %s',
    async (responseType, responseMode, sameSite) => {
      await start({
        oidc: { responseType, responseMode } as FlowSetup['oidc'] & object,
        session: { cookie: { sameSite: sameSite as 'lax' | 'strict' } },
      });
      await flow.browser.jar.setCookie(older, `${flow.baseUrl}/private`);
      const arrival = await goTo(`${flow.baseUrl}/private?page=2`);
      expect([arrival.status, errorCode(arrival), asked()]).toEqual([
        500,
        'ERR_OIDC_SESSION_LOST',
        2,
      ]);
      expect(arrival.text).toContain('session cookie <code>connect.sid</code>');
      expect(arrival.text).toContain('an older cookie of the same name hides it there');
      const again = `/login?return_to=${encodeURIComponent('/private?page=2')}`;
      expect(arrival.text).toContain(`<a class="main" href="${again}">Sign in again</a>`);
      // Whoever tries again begins anew, and with the cookie gone ends signed in.
      expect(errorCode(await goTo(`${flow.baseUrl}${again}`))).toBe('ERR_OIDC_SESSION_LOST');
      await flow.browser.jar.removeAllCookies();
      expect(await flow.signIn()).toMatchObject({ status: 200 });
    },
  );

  it('in a slow network, too, and is told by events', async () => {
    await start();
    await flow.browser.jar.setCookie(older, `${flow.baseUrl}/private`);
    const refusals = await publishedErrors('refusal', () =>
      goTo(`${flow.baseUrl}/private`, { secondsForEach: 5 }),
    );
    expect([refusals, asked()]).toEqual([['ERR_OIDC_SESSION_LOST'], 2]);
  });

  it.each(['lax', 'strict'] as const)(
    'in a browser without Fetch Metadata, too, session cookie %s',
    async (sameSite) => {
      await start({ session: { cookie: { sameSite } } });
      flow.browser.fetchMetadata = 'none';
      await flow.browser.jar.setCookie(older, `${flow.baseUrl}/private`);
      const arrival = await goTo(`${flow.baseUrl}/private`);
      expect([errorCode(arrival), asked()]).toEqual([
        'ERR_OIDC_SESSION_LOST',
        sameSite === 'lax' ? 2 : 3,
      ]);
    },
  );

  it.each([
    ['its cookie', 'connect.sid=', 'something in between takes it away there', 2],
    ['all cookies', '', 'something in between takes them away there', 3],
  ])('because something in between takes %s away', async (_what, name, reason, logins) => {
    for (const sameSite of ['lax', 'strict'] as const) {
      await startBehind(withoutCookies(name), { session: { cookie: { sameSite } } });
      const arrival = await goTo(`${baseUrl()}/private`);
      expect([errorCode(arrival), asked()]).toEqual(['ERR_OIDC_SESSION_LOST', logins]);
      expect(arrival.text).toContain('session cookie <code>connect.sid</code>');
      expect(arrival.text).toContain(reason);
      await flow.close();
      await front?.close();
    }
  });

  it('because another process serves the page, which has a store of its own', async () => {
    let other: Flow | undefined;
    const setup = await startBehind(() => other);
    other = await startFlow(setup);
    const arrival = await goTo(`${baseUrl()}/private`);
    expect([errorCode(arrival), asked()]).toEqual(['ERR_OIDC_SESSION_LOST', 2]);
    expect(arrival.text).toContain('the page does not know its session');
    await other.close();
  });
});

describe('an application that replaces the session at its pages', () => {
  it('is told so after some logins, on a page in place of a loop', async () => {
    await start({
      routes: (app, oidc) => {
        app.get('/replaced', (req, _res, next) => req.session.regenerate(next), oidc.requireAuth());
      },
    });
    const arrival = await goTo(`${flow.baseUrl}/replaced`);
    expect([errorCode(arrival), asked()]).toEqual(['ERR_OIDC_SESSION_LOST', 6]);
    expect(arrival.text).toContain('has ended or replaced its session');
  });
});

describe('nobody is taken for such a visitor', () => {
  it.each([
    ['ends the session', true],
    ['only takes its cookie away', false],
  ])('who signs out and in again quickly, where the application %s', async (_what, isEnded) => {
    await start({
      routes: (app) => {
        app.get('/bye', (req, res) => {
          res.clearCookie('connect.sid');
          if (isEnded) req.session.destroy(() => res.json({}));
          else res.json({});
        });
      },
    });
    for (let round = 0; round < 8; round += 1) {
      const arrival = await goTo(`${flow.baseUrl}/private`);
      expect([arrival.status, arrival.url]).toEqual([200, `${flow.baseUrl}/private`]);
      await flow.browser.navigate(`${flow.baseUrl}/bye`);
    }
    expect(asked()).toBe(8);
  });

  it('who has seen no page in between that asks for a login', async () => {
    await start({
      routes: (app) => {
        app.get('/open', (_req, res) => void res.json({}));
        app.get('/bye', (req, res) => req.session.destroy(() => res.json({})));
      },
    });
    for (const _round of [1, 2, 3]) {
      await goTo(`${flow.baseUrl}/login?return_to=/open`);
      await flow.browser.navigate(`${flow.baseUrl}/bye`);
    }
    expect(await flow.browser.cookieNames(flow.baseUrl)).toContainEqual(
      expect.stringMatching(/\.check$/),
    );
    expect(await goTo(`${flow.baseUrl}/private`)).toMatchObject({ status: 200 });
    expect(asked()).toBe(4);
  });

  it('who has several tabs, of which each is sent away once more', async () => {
    await start({ oidc: { backchannelLogout: true } });
    const tabs = ['/private?tab=0', '/private?tab=1', '/private?tab=2'];
    for (const _round of [1, 2, 3]) {
      const arrivals = await Promise.all(
        tabs.map((tab) => flow.browser.navigate(`${flow.baseUrl}${tab}`)),
      );
      expect(arrivals.map(({ status, url }) => [status, url])).toEqual(
        tabs.map((tab) => [200, `${flow.baseUrl}${tab}`]),
      );
      await flow.oidc.endSessions({ sub: 'ada' });
      flow.clock.advance(1);
    }
  });

  it('in whose browser somebody has put the note', async () => {
    await start();
    for (const path of ['/', '/private']) {
      const planted = `${await noteName()}=1; Path=${path}`;
      await flow.browser.jar.setCookie(planted, `${flow.baseUrl}${path}`);
    }
    const arrival = await goTo(`${flow.baseUrl}/private`);
    expect([arrival.status, arrival.url, asked()]).toEqual([200, `${flow.baseUrl}/private`, 1]);
  });

  it('after a logout', async () => {
    await start();
    await signInTwice();
    await flow.browser.navigate(`${flow.baseUrl}/logout`);
    expect(await flow.browser.cookieNames(`${flow.baseUrl}/callback`)).toEqual(['connect.sid']);
    const arrival = await goTo(`${flow.baseUrl}/private`);
    expect([arrival.status, arrival.history.filter(({ url }) => /arriv|check/.test(url))]).toEqual([
      200,
      [],
    ]);
  });
});

/** The second time without the session of the first, and so with checks. */
async function signInTwice(): Promise<void> {
  await flow.signIn();
  await flow.browser.jar.store.removeCookie('localhost', '/', 'connect.sid');
  await flow.signIn();
}

async function noteName(): Promise<string> {
  await signInTwice();
  const names = await flow.browser.cookieNames(flow.baseUrl);
  await flow.browser.jar.removeAllCookies();
  flow.op.requests.length = 0;
  return names.find((name) => name.endsWith('.check')) ?? 'no note';
}
