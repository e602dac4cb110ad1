import { describe, expect, it } from '@jest/globals';
import { buildEndSessionRequest } from '../../lib/oidc/end-session.ts';
import type { DiscoveredProvider } from '../../lib/oidc/provider.ts';
import { opByFetch } from '../support/op-by-fetch.ts';
import { tokensOf } from '../support/tokens.ts';

const { options } = opByFetch();

function build(
  end_session_endpoint: unknown,
  issuer = options.issuer,
): ReturnType<typeof buildEndSessionRequest> {
  const provider = { metadata: { issuer, end_session_endpoint } } as DiscoveredProvider;
  return buildEndSessionRequest(provider, options, { idToken: 'hint', claims: tokensOf().claims });
}

describe('RP-Initiated Logout 2 the endpoint', () => {
  it.each([undefined, null, 1, '', 'no URL', '/end', ['https://op.example/end']])(
    'that is %j is none',
    (endpoint) => {
      expect(build(endpoint)).toBeUndefined();
    },
  );

  it.each(['http://op.example/end', 'javascript:alert(1)', 'ftp://op.example/'])(
    'of an https issuer is not %s',
    (endpoint) => {
      expect(build(endpoint)).toBeUndefined();
    },
  );

  it('keeps its own query, and gets a state that differs each time', () => {
    const [one, two] = [build('https://op.example/end?a=b'), build('https://op.example/end?a=b')];
    const query = Object.fromEntries(new URL(one?.url ?? '').searchParams);
    expect(query).toEqual({
      a: 'b',
      id_token_hint: 'hint',
      client_id: 'client',
      post_logout_redirect_uri: 'https://app.example/logout/callback',
      state: one?.state,
    });
    expect(one?.state).not.toBe(two?.state);
  });

  it('of an http issuer, as in development, may be http', () => {
    expect(build('http://localhost/end', 'http://localhost')?.url).toContain('http://localhost/');
  });
});
