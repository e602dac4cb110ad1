import { describe, expect, it } from '@jest/globals';
import type { EndSessionUrl, LogoutAtOp } from 'passport-oidc-hybrid';
import { buildEndSessionRequest } from '../../lib/oidc/end-session.ts';
import type { DiscoveredProvider } from '../../lib/oidc/provider.ts';
import { opByFetch } from '../support/op-by-fetch.ts';
import { tokensOf } from '../support/tokens.ts';

const { options } = opByFetch();
const login = { idToken: 'hint', claims: tokensOf().claims };

function build(
  end_session_endpoint: unknown,
  issuer = options.issuer,
): ReturnType<typeof buildEndSessionRequest> {
  const provider = { metadata: { issuer, end_session_endpoint } } as DiscoveredProvider;
  return buildEndSessionRequest(provider, options, login);
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

  it('of an http issuer may be better than that', () => {
    expect(build('https://op.example/end', 'http://op.example')?.url).toMatch(/^https:/);
  });

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

describe('endSessionUrl', () => {
  const buildBy = (
    endSessionUrl: EndSessionUrl,
    end_session_endpoint?: string,
  ): ReturnType<typeof buildEndSessionRequest> => {
    const provider = {
      metadata: { issuer: options.issuer, end_session_endpoint },
    } as DiscoveredProvider;
    return buildEndSessionRequest(provider, { ...options, endSessionUrl }, login);
  };

  it('gets all that a logout needs, with the standard request where there is one', () => {
    const seen: LogoutAtOp[] = [];
    const record: EndSessionUrl = (logout) => {
      seen.push(logout);
      return logout.url && `${logout.url}&federated`;
    };
    expect(buildBy(record)).toBeUndefined();
    const built = buildBy(record, 'https://op.example/end');
    expect(built?.url).toBe(`${seen[1]?.url}&federated`);
    expect(built?.state).toBe(seen[1]?.state);
    expect(seen[0]).toEqual({
      url: undefined,
      clientId: 'client',
      idTokenHint: 'hint',
      postLogoutRedirectUri: 'https://app.example/logout/callback',
      state: expect.stringMatching(/^[\w-]{22}$/),
    });
  });

  it.each(['/logout', 'http://op.example/logout', 'javascript:alert(1)', 7])(
    'that gives %j is a mistake in the set-up',
    (url) => {
      expect(() => buildBy(() => url as string)).toThrow(
        expect.objectContaining({ code: 'ERR_OIDC_OPTION_INVALID', option: 'endSessionUrl' }),
      );
    },
  );
});
