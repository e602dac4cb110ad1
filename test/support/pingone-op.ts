import { isIP } from 'node:net';
import { jwtVerify } from 'jose';
import {
  type ClientMetadata,
  type Configuration,
  errors,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import { confirmedAtOnce } from './certified-op.ts';
import { type HostedOp, hostedApi, startHostedOp } from './hosted-op.ts';

/** What a test says about the environment and its one application. */
export interface PingOneOpOptions {
  redirectUris: readonly string[];
  postLogoutRedirectUris: readonly string[];
  /** How the application authenticates and signs. @default client_secret_basic */
  client?: Partial<ClientMetadata>;
}

/** An environment of PingOne, as its documentation describes it. */
export interface PingOneOp extends HostedOp {
  readonly environmentId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The user of all logins, and another one. */
  readonly users: { readonly ada: string; readonly eve: string };
  /** What the user's phone has sent the application. */
  readonly mobilePayload: string;
  /** Claims of the last request object, and its header. */
  readonly requestObject: { claims: Record<string, unknown>; header: Record<string, unknown> };
  /** What a test may change while it runs. */
  readonly settings: {
    /** The sign-on policy that serves, whatever is asked for. */
    policy: string | undefined;
  };
  /** How often a user was asked to sign in. */
  readonly signIns: { count: number };
}

const environmentId = '0f1e2d3c-4b5a-4678-9abc-def012345678';
const clientId = '11111111-2222-4333-8444-555555555555';
const clientSecret = 'a secret of the application at PingOne, of more than 64 characters in all';
const users = {
  ada: 'aaaaaaaa-0000-4000-8000-000000000001',
  eve: 'aaaaaaaa-0000-4000-8000-000000000002',
};
const mobilePayload = 'what-adas-phone-has-signed';

/** Sign-on policies that are assigned to the application, by their names. */
const policies = ['Single_Factor', 'Multi_Factor'];

/** Starts the environment. */
export async function startPingOneOp(options: PingOneOpOptions): Promise<PingOneOp> {
  const settings: PingOneOp['settings'] = { policy: undefined };
  const requestObject: PingOneOp['requestObject'] = { claims: {}, header: {} };
  const signIns = { count: 0 };
  const hinted = { subject: users.ada };
  const op = await startHostedOp({
    // https://developer.pingidentity.com/pingone-api/auth/openid-connect-oauth-2.html
    issuerPath: `/${environmentId}/as`,
    configuration: (issuer) => ({
      ...environment(options),
      extraParams: parameterChecks(issuer, hinted),
      features: {
        ...environment(options).features,
        // https://developer.pingidentity.com/pingone-api/auth/auth-config-options/create-a-request-property-jwt.html
        requestObjects: {
          enabled: true,
          assertJwtClaimsAndHeader: async (_ctx, claims, header) => {
            checkRequestObject(claims, header);
            Object.assign(requestObject, { claims, header });
          },
        },
      },
    }),
    isEnough: (wanted, acr) => settings.policy !== undefined || wanted.includes(String(acr)),
    signIn: ({ acr_values }) => {
      signIns.count += 1;
      // https://developer.pingidentity.com/pingone-api/auth/openid-connect-oauth-2.html
      // Sign-on policies by name, in order of preference; they have to be the application's.
      const wanted = String(acr_values ?? policies[0]).split(' ');
      const found = wanted.find((name) => policies.includes(name));
      if (found === undefined) {
        const error_description = 'Invalid acr_values: no such sign-on policy';
        return { error: 'invalid_request', error_description };
      }
      // https://developer.pingidentity.com/pingone-api/foundations/authentication-concepts/access-tokens-and-id-tokens/token-claims.html
      // The policy that served comes back as acr.
      return { accountId: hinted.subject, acr: settings.policy ?? found };
    },
  });
  return {
    ...op,
    environmentId,
    clientId,
    clientSecret,
    users,
    mobilePayload,
    requestObject,
    settings,
    signIns,
  };
}

function environment(options: PingOneOpOptions): Configuration {
  return {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        token_endpoint_auth_method: 'client_secret_basic',
        application_type: 'native',
        response_types: ['code', 'code id_token', 'code token', 'code id_token token'],
        grant_types: ['authorization_code', 'implicit', 'refresh_token'],
        redirect_uris: [...options.redirectUris],
        post_logout_redirect_uris: [...options.postLogoutRedirectUris],
        ...options.client,
      },
    ],
    // https://developer.pingidentity.com/pingone-api/auth/openid-connect-oauth-2.html
    routes: {
      authorization: '/authorize',
      token: '/token',
      userinfo: '/userinfo',
      jwks: '/jwks',
      revocation: '/revoke',
      end_session: '/signoff',
    },
    // https://developer.pingidentity.com/pingone-api/auth/openid-connect-oauth-2/authorize-hybrid-1.html
    enableHttpPostMethods: true,
    cookies: { long: { sameSite: 'none' } },
    acrValues: policies,
    clientAuthMethods: [
      'client_secret_basic',
      'client_secret_post',
      'client_secret_jwt',
      'private_key_jwt',
      'none',
    ],
    enabledJWA: {
      clientAuthSigningAlgValues: ['HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512'],
      requestObjectSigningAlgValues: ['HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512'],
    },
    assertJwtClientAuthClaimsAndHeader: async (_ctx, claims) => {
      // https://developer.pingidentity.com/pingone-api/auth/auth-config-options/create-a-private-key-jwt.html
      // The subject is the application, and an hour is the longest life.
      const isShort = Number(claims['exp']) - Date.now() / 1000 <= 3600;
      if (claims['sub'] === clientId && isShort) return;
      throw new errors.InvalidClientAuth('the assertion is not as documented');
    },
    // pkceEnforcement S256_REQUIRED
    pkce: { required: () => true },
    scopes: ['openid', 'offline_access'],
    claims: {
      openid: ['sub', 'sid', 'env', 'org'],
      profile: ['name'],
      email: ['email'],
      acr: null,
    },
    findAccount: (_ctx, sub) => ({
      accountId: sub,
      claims: () => ({ sub, name: 'Ada Marwick', email: 'ada@shop.example', env: environmentId }),
    }),
    rotateRefreshToken: true,
    features: {
      revocation: {
        enabled: true,
        allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => {
          ctx.body = confirmedAtOnce(form);
        },
      },
      // The API of an access token goes by its scopes, and is not named.
      resourceIndicators: { enabled: true, defaultResource: () => hostedApi },
    },
  };
}

/** Parameters of "Authorize (hybrid POST)" besides the standard's. */
function parameterChecks(
  issuer: string,
  hinted: { subject: string },
): Configuration['extraParams'] {
  return {
    // https://developer.pingidentity.com/pingone-api/auth/auth-config-options/create-a-login_hint_token-jwt.html
    login_hint_token: async (_ctx, value) => {
      hinted.subject = value === undefined ? users.ada : await subjectOf(value, issuer);
    },
    mobilePayload: (_ctx: KoaContextWithOIDC, value: string | undefined) => {
      if (value === undefined || value === mobilePayload) return;
      throw new errors.InvalidRequest('mobilePayload is not of a device of this environment');
    },
  };
}

/** Signed with the client secret, neither nested nor encrypted, and of a user that there is. */
async function subjectOf(token: string, issuer: string): Promise<string> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, Buffer.from(clientSecret), {
      algorithms: ['HS256', 'HS384', 'HS512'],
      issuer: clientId,
      audience: issuer,
      requiredClaims: ['sub', 'iat', 'exp'],
    });
    const isKnown = (Object.values(users) as (string | undefined)[]).includes(payload.sub);
    if ('cty' in protectedHeader || 'enc' in protectedHeader || !isKnown) throw new Error();
    return String(payload.sub);
  } catch {
    throw new errors.InvalidRequest('login_hint_token is invalid');
  }
}

/** What the documentation has of the claims in a request object that are PingOne's own. */
function checkRequestObject(
  claims: Record<string, unknown>,
  header: Record<string, unknown>,
): void {
  const refuse = (isGood: boolean, description: string): void => {
    if (!isGood) throw new errors.InvalidRequestObject(description);
  };
  refuse(header['typ'] === 'JWT', 'the type is not as documented');
  refuse('exp' in claims && 'jti' in claims, 'exp and jti are missing');
  const { 'pi.template': template, 'pi.remoteIp': remoteIp } = claims;
  const name = (template as { name?: unknown } | undefined)?.name;
  refuse(template === undefined || name === 'transaction', 'no such template');
  const isAddress = isIP(String(remoteIp)) > 0;
  refuse(remoteIp === undefined || isAddress, 'pi.remoteIp is no address');
}
