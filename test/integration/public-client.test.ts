import { afterEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { Browser } from '../support/browser.ts';
import { type CertifiedFlow, startCertifiedFlow } from '../support/certified-flow.ts';
import { json } from '../support/flow.ts';

let flow: CertifiedFlow;
afterEach(() => flow.close());

async function start(clientMethod = 'none'): Promise<Browser> {
  flow = await startCertifiedFlow({
    oidc: { clientSecret: undefined, tokenEndpointAuthMethod: 'none' },
    op: { client: { token_endpoint_auth_method: clientMethod } },
  });
  return new Browser();
}

describe('a public client at a certified OP', () => {
  it('signs in, refreshes and signs out without a secret', async () => {
    const browser = await start();
    expect(json(await browser.navigate(`${flow.baseUrl}/profile`))).toMatchObject({ sub: 'ada' });
    flow.clock.advance(60);
    expect(await browser.fetch(`${flow.baseUrl}/api/orders`)).toMatchObject({ status: 200 });
    expect(flow.op.grants).toEqual({ authorization_code: 1, refresh_token: 1, refused: 0 });
    const { baseUrl } = flow;
    await browser.navigate({ method: 'GET', url: `${baseUrl}/logout`, from: baseUrl });
    expect(await browser.fetch(`${baseUrl}/api/orders`)).toMatchObject({ status: 401 });
  });

  it('has its code bound by PKCE alone: nobody else can exchange it', async () => {
    const browser = await start();
    const isCallback = ({ url }: { url: string }): boolean => url.includes('/callback');
    const { next } = await browser.navigate(`${flow.baseUrl}/profile`, isCallback);
    const code = new URLSearchParams(next?.body ?? '').get('code');
    expect(code).not.toBeNull();
    const stolen = await request(flow.op.issuer)
      .post('/token')
      .type('form')
      .send({
        grant_type: 'authorization_code',
        client_id: flow.op.clientId,
        redirect_uri: `${flow.baseUrl}/callback`,
        code_verifier: 'a-verifier-that-a-thief-has-made-up-as-long-as-it-has-to-be',
        code,
      });
    expect([stolen.status, stolen.body.error]).toEqual([400, 'invalid_grant']);
  });

  it('is refused where the OP knows it as a confidential one', async () => {
    const browser = await start('client_secret_basic');
    const refused = await browser.navigate(`${flow.baseUrl}/profile`);
    expect(refused.text).toContain('ERR_OIDC_CLIENT_REFUSED');
    expect(flow.op.grants).toMatchObject({ authorization_code: 0 });
  });
});
