import request from 'supertest';
import type { Flow } from './flow.ts';
import type { IdTokenLie } from './lies.ts';

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
