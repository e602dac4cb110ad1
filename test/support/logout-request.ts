import { expect } from '@jest/globals';
import request from 'supertest';
import type { IdTokenLie } from '../../lib/testing/lies.ts';
import { Browser, type Hop } from './browser.ts';
import { errorCode, type Flow, startFlow } from './flow.ts';

/** What a test reads of an answer. */
export interface LogoutAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: Record<string, string>;
}

/** The OP's back-channel logout request: with no browser, and so with no cookie. */
export async function postLogoutToken(
  flow: Pick<Flow, 'baseUrl' | 'op'>,
  lie: IdTokenLie = {},
): Promise<LogoutAnswer> {
  const logoutToken = lie.raw ?? (await flow.op.logoutToken(lie));
  return request(flow.baseUrl)
    .post('/backchannel-logout')
    .type('form')
    .send({ logout_token: logoutToken });
}

/** Whether somebody is signed in, by a request that wants it. */
export async function isSignedIn(
  flow: Pick<Flow, 'baseUrl' | 'browser'>,
  browser: Browser = flow.browser,
): Promise<boolean> {
  return (await browser.fetch(`${flow.baseUrl}/api/x`)).status === 200;
}

/** A logout that has come to the OP: the request that follows leads back here. */
async function logOutAtOp(flow: Flow): Promise<Hop> {
  const { next } = await flow.browser.navigate(
    { method: 'GET', url: `${flow.baseUrl}/logout`, from: flow.baseUrl },
    ({ url }) => url.includes('/logout/callback'),
  );
  if (next === undefined) throw new Error('the OP leads back from a logout');
  return next;
}

/** A whole logout, with the query of its return changed; status and error code at its end. */
export async function returnFromLogout(
  flow: Flow,
  change: (query: URLSearchParams) => void,
): Promise<[status: number, code: string | undefined]> {
  const { url: returned } = await logOutAtOp(flow);
  const url = new URL(returned);
  change(url.searchParams);
  const arrival = await flow.browser.navigate(url.href);
  return [arrival.status, errorCode(arrival)];
}

/** Two sessions here of one session at the OP, in two browsers. */
export interface TwoSessions {
  readonly flow: Flow;
  readonly other: Browser;
}

/** The name of that session at the OP. */
export const opSession = 'of the OP';

/** Signs in twice, where the OP may end sessions by either channel. */
export async function startTwoSessions(): Promise<TwoSessions> {
  const flow = await startFlow({ oidc: { backchannelLogout: true, frontchannelLogout: true } });
  flow.op.claims = { sid: opSession };
  const other = new Browser();
  for (const browser of [flow.browser, other]) {
    expect(await flow.signIn(browser)).toMatchObject({ status: 200 });
  }
  return { flow, other };
}

/** A logout that the user begins here, in whose middle the OP tells of it by a channel of its own. */
export async function logOutWhile<T>(flow: Flow, tell: () => Promise<T>): Promise<T> {
  const back = await logOutAtOp(flow);
  const told = await tell();
  expect(await flow.browser.navigate(back)).toMatchObject({ status: 200 });
  expect(await isSignedIn(flow)).toBe(false);
  return told;
}

/**
 * Logs out twice, and the OP posts a Logout Token each time: the first ends the other session of the same
 * session at the OP, the second differs by these lies alone and ends nothing.
 */
export async function expectLogoutTokenRefused(
  { flow, other }: TwoSessions,
  lie: IdTokenLie,
): Promise<void> {
  const honest = { claims: { sid: opSession } };
  expect(await logOutWhile(flow, () => postLogoutToken(flow, honest))).toMatchObject({
    status: 200,
  });
  expect(await isSignedIn(flow, other)).toBe(false);
  flow.clock.advance(1);
  for (const browser of [flow.browser, other]) {
    expect(await flow.signIn(browser)).toMatchObject({ status: 200 });
  }
  const bent = { ...lie, claims: { ...honest.claims, ...lie.claims } };
  const refused = await logOutWhile(flow, () => postLogoutToken(flow, bent));
  expect(refused).toMatchObject({ status: 400, headers: { 'cache-control': 'no-store' } });
  expect(await isSignedIn(flow, other)).toBe(true);
}
