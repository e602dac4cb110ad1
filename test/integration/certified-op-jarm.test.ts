import { afterEach, describe, expect, it } from '@jest/globals';
import type { ResponseMode, ResponseType } from 'passport-oidc-hybrid';
import { Browser } from '../support/browser.ts';
import { type CertifiedFlow, startCertifiedFlow } from '../support/certified-flow.ts';
import { errorCode, json } from '../support/flow.ts';

let flow: CertifiedFlow;
afterEach(() => flow.close());

const types: ResponseType[] = ['code', 'code id_token', 'code token', 'code id_token token'];
const modesOf = (type: ResponseType): ResponseMode[] =>
  type === 'code'
    ? ['query.jwt', 'form_post.jwt', 'fragment.jwt', 'jwt']
    : ['form_post.jwt', 'fragment.jwt', 'jwt'];

const start = (responseType: ResponseType, responseMode: ResponseMode, more: object = {}) =>
  startCertifiedFlow({
    oidc: { responseType, responseMode, ...more },
    op: {
      features: { jwtResponseModes: { enabled: true } },
      client: { authorization_signed_response_alg: 'ES256' },
    },
  });

describe('JARM at a certified OP', () => {
  it.each(types.flatMap((type) => modesOf(type).map((mode) => [type, mode] as const)))(
    '"%s" by %s',
    async (type, mode) => {
      flow = await start(type, mode);
      const arrival = await new Browser().navigate(`${flow.baseUrl}/profile`);
      expect(json(arrival)).toMatchObject({ sub: 'ada' });
      const sent = arrival.history.map(({ url, body = '' }) => `${url} ${body}`).join(' ');
      expect(sent).toMatch(/response(=|%3D)ey/);
      expect(sent).not.toMatch(/[?&# ]code=/);
    },
  );

  it('brings its errors inside', async () => {
    const authorizationParams = { login_hint: 'cancel' };
    flow = await start('code id_token', 'form_post.jwt', { authorizationParams });
    const refused = await new Browser().navigate(`${flow.baseUrl}/profile`);
    expect([refused.status, errorCode(refused)]).toEqual([403, 'ERR_OIDC_ACCESS_DENIED']);
  });

  it('is refused by another algorithm than the registered one', async () => {
    flow = await start('code', 'jwt', { authorizationSignedResponseAlg: 'PS256' });
    const refused = await new Browser().navigate(`${flow.baseUrl}/profile`);
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_JARM_ALG']);
  });
});
