import type { TokenSet } from '../../lib/oidc/code-exchange.ts';
import type { RefreshedTokens } from '../../lib/oidc/refresh-grant.ts';
import { type ResolvedTarget, resolveTarget } from '../../lib/oidc/token-target.ts';

const claims = { iss: 'https://op.example', sub: 'ada', aud: 'client', exp: 2000, iat: 1000 };

/** Tokens of a login as the rest of the library is given them. */
export function tokensOf(changed: Partial<TokenSet> = {}): TokenSet {
  return {
    claims,
    idToken: `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.y`,
    accessToken: 'at',
    refreshToken: 'rt',
    refreshIssuedAt: 1000,
    expiresAt: undefined,
    expiresIn: undefined,
    scope: 'openid',
    ...changed,
  };
}

/** The API of the login itself. */
export const loginTarget: ResolvedTarget = resolveTarget(
  {},
  { resources: [], audience: undefined },
);

/** What a refresh gives. */
export function refreshedOf(changed: Partial<TokenSet> = {}): RefreshedTokens {
  const { claims, idToken, refreshToken, refreshIssuedAt, ...access } = tokensOf(changed);
  return { grant: { claims, idToken, refreshToken, refreshIssuedAt }, access };
}
