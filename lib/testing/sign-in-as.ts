import { opAt } from './fake-op.ts';
import { type Hop, nextHop, siteRelation } from './hop.ts';
import type { OpVisitor } from './lying-op.ts';

/** An answer to an {@link HttpAgent}. */
export interface AgentResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly text: string;
}

/** A request of an {@link HttpAgent} that has not been sent. */
export interface AgentRequest extends PromiseLike<AgentResponse> {
  set(headers: Record<string, string>): AgentRequest;
  redirects(count: number): AgentRequest;
  ok(isOk: () => boolean): AgentRequest;
  send(body: string): AgentRequest;
}

/** An agent of supertest that keeps cookies: `request.agent(app)`. */
export interface HttpAgent {
  get(path: string): AgentRequest;
  post(path: string): AgentRequest;
}

/** A page of Playwright. */
export interface BrowserPage {
  goto(url: string): Promise<unknown>;
  url(): string;
  content(): Promise<string>;
  waitForURL(isThere: (url: URL) => boolean): Promise<unknown>;
  route(
    url: string,
    handler: (route: { fulfill(answer: FulfilledPage): Promise<void> }) => Promise<void>,
    options: { times: number },
  ): Promise<unknown>;
  readonly request: {
    get(
      url: string,
      options: { headers: Record<string, string>; maxRedirects: number },
    ): Promise<{
      url(): string;
      status(): number;
      headers(): Record<string, string>;
      text(): Promise<string>;
    }>;
  };
}

interface FulfilledPage {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Whose login it is: the claim `sub`, or several claims. @default the `subject` of the OP */
export type Who = string | { readonly sub?: string; readonly [claim: string]: unknown };

/** Options of {@link signInAs}. */
export interface SignInOptions {
  /**
   * Where the login begins: the login route, or a guarded page. A path; with Playwright a whole URL,
   * unless its context has a `baseURL`.
   *
   * @default '/login'
   */
  at?: string | undefined;
}

/**
 * Signs a visitor in, through every step of a real login at a {@link fakeOp} of this process. The agent
 * or the page has the session afterward; a page is where the login leads, an agent does not go there.
 *
 * With supertest `baseUrl` has to be http on loopback, or cookies would be for https only.
 *
 * @throws Error with the code of the refusal, where the login fails
 */
export async function signInAs(
  visitor: HttpAgent | BrowserPage,
  who: Who = {},
  { at = '/login' }: SignInOptions = {},
): Promise<void> {
  const claims = typeof who === 'string' ? { sub: who } : who;
  if ('goto' in visitor) await signInPage(visitor, claims, at);
  else await signInAgent(visitor, claims, at);
}

type Claims = Exclude<Who, string>;

const asNavigation = {
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
  Accept: 'text/html',
};

/** Of the first request: no name that could be anybody's. */
const ownOrigin = 'http://agent.invalid';

async function signInAgent(agent: HttpAgent, claims: Claims, at: string): Promise<void> {
  let hop: Hop = { method: 'GET', url: new URL(at, ownOrigin).href, from: undefined };
  let redirectUri: string | undefined;
  let isBegun = false;
  for (let hops = 0; hops < 12; hops += 1) {
    const op = opAt(hop.url);
    if (op !== undefined || (!isBegun && !hop.url.startsWith(ownOrigin))) {
      redirectUri = expectAt(hop, claims);
      isBegun = true;
    }
    const answer = op === undefined ? await byAgent(agent, hop) : await byFetch(hop);
    const next = nextHop(hop, answer);
    if (next === undefined) throw failure(hop.url, answer.status, answer.text);
    const isSecondHop = isCallback(hop.url, redirectUri) && hop.method === 'GET';
    if (isSecondHop && !isCallback(next.url, redirectUri) && !opAt(next.url)) return;
    hop = next;
  }
  throw new Error(`the login goes round, and came to ${hop.url.split('?')[0]}`);
}

async function signInPage(page: BrowserPage, claims: Claims, at: string): Promise<void> {
  // By the page's own cookies, but not yet by the page, as it has to be known who signs in first.
  const headers = { ...asNavigation, 'Sec-Fetch-Site': 'none' };
  const begun = await page.request.get(at, { headers, maxRedirects: 0 });
  const answer = { status: begun.status(), headers: begun.headers(), text: await begun.text() };
  const hop = nextHop({ method: 'GET', url: begun.url(), from: undefined }, answer);
  if (hop === undefined) throw failure(begun.url(), answer.status, answer.text);
  const redirectUri = expectAt(hop, claims);
  const { origin } = new URL(begun.url());
  if (hop.method === 'POST') {
    const { status, text: body } = answer;
    await page.route(at, (route) => route.fulfill({ status, headers: answer.headers, body }), {
      times: 1,
    });
    await page.goto(at);
  } else {
    await page.goto(hop.url);
  }
  await page.waitForURL((url) => url.origin === origin && !isPassing(url));
  if (!isCallback(page.url(), redirectUri)) return;
  // A refusal, or a page that leads on by itself, which may do so at any moment.
  const text = await page.content().catch(() => '');
  if (codeOn(text) !== undefined) throw failure(page.url(), 400, text);
  await page.waitForURL((url) => !isCallback(url.href, redirectUri));
}

/** Between the hops of a callback by `fragment`, and on the pages that lead on. */
function isPassing(url: URL): boolean {
  return url.searchParams.has('oidc_fragment') || url.hash.includes('state=');
}

/** Tells the OP whose login it is, and gives its redirect URI. */
function expectAt(hop: Hop, { sub, ...claims }: Claims): string | undefined {
  const op = opAt(hop.url);
  if (op === undefined) {
    throw new Error(`the login leads to ${new URL(hop.url).origin}, where no fakeOp() is`);
  }
  const { searchParams } = new URL(hop.url);
  const parameters = hop.method === 'POST' ? new URLSearchParams(hop.body) : searchParams;
  const request = Object.fromEntries(parameters);
  return op.expect(request, { sub: sub ?? op.subject, ...claims } satisfies OpVisitor);
}

function isCallback(url: string, redirectUri: string | undefined): boolean {
  const { pathname } = new URL(url);
  return redirectUri !== undefined && pathname === new URL(redirectUri).pathname;
}

async function byAgent(agent: HttpAgent, hop: Hop): Promise<AgentResponse> {
  const { pathname, search } = new URL(hop.url);
  const request = hop.method === 'POST' ? agent.post(pathname) : agent.get(pathname + search);
  const sent = request
    .redirects(0)
    .ok(() => true)
    .set({ ...asNavigation, 'Sec-Fetch-Site': siteRelation(hop) });
  if (hop.body === undefined) return sent;
  return sent.set({ 'Content-Type': 'application/x-www-form-urlencoded' }).send(hop.body);
}

async function byFetch({ method, url, body }: Hop): Promise<AgentResponse> {
  const init = body === undefined ? {} : { body: new URLSearchParams(body) };
  const response = await fetch(url, { method, redirect: 'manual', ...init });
  const { status, headers } = response;
  return { status, headers: Object.fromEntries(headers), text: await response.text() };
}

function failure(url: string, status: number, text: string): Error {
  const { origin, pathname } = new URL(url);
  const where = origin === ownOrigin ? pathname : `${origin}${pathname}`;
  return new Error(`the login ended at ${where} with ${codeOn(text) ?? `status ${status}`}`);
}

function codeOn(text: string): string | undefined {
  return /ERR_OIDC_[A-Z_]+/.exec(text)?.[0];
}
