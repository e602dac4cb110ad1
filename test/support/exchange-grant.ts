import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';

const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

/** The metadata of a client that may exchange tokens. */
export const exchangingClient: Readonly<Record<string, unknown>> = {
  grant_types: ['authorization_code', 'implicit', 'refresh_token', grantType],
};

/** What is odd about an OP that exchanges tokens. */
export interface ExchangeOddities {
  /** Changes its answer. */
  answer?: Readonly<Record<string, unknown>>;
  /** Takes the certificate that the new token is bound to, as the client's metadata demand. */
  certificateOf?: (ctx: KoaContextWithOIDC) => string | undefined;
}

/**
 * Token exchange for oidc-provider, which has none: a token for another API, for an access token of the same
 * client that is valid.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8693#section-2 RFC 8693 section 2}
 */
export function addExchangeGrant(
  provider: Provider,
  apis: readonly string[],
  { answer, certificateOf }: ExchangeOddities = {},
): void {
  const handle = async (ctx: KoaContextWithOIDC): Promise<void> => {
    const { client, params = {} } = ctx.oidc;
    const { subject_token, subject_token_type, requested_token_type, resource, scope } = params;
    const subject = await provider.AccessToken.find(String(subject_token));
    if (!client || !subject?.isValid || subject.clientId !== client.clientId) {
      throw new errors.InvalidRequest('the subject token is not valid');
    }
    if (subject_token_type !== accessTokenType || requested_token_type !== accessTokenType) {
      throw new errors.InvalidRequest('only access tokens are exchanged');
    }
    if (!apis.includes(String(resource))) throw new errors.InvalidTarget();
    const token = new provider.AccessToken({
      client,
      accountId: subject.accountId,
      grantId: subject.grantId as string,
      gty: 'token_exchange',
      scope: String(scope ?? ''),
    } as ConstructorParameters<Provider['AccessToken']>[0]);
    token.resourceServer = new provider.ResourceServer(String(resource), {
      scope: String(scope ?? ''),
      audience: String(resource),
      accessTokenFormat: 'jwt',
      accessTokenTTL: 86_400,
      jwt: { sign: { alg: 'ES256' } },
    });
    const certificate = certificateOf?.(ctx);
    if (certificate !== undefined) token.setThumbprint('x5t', certificate);
    ctx.body = {
      access_token: await token.save(),
      issued_token_type: accessTokenType,
      token_type: 'Bearer',
      expires_in: token.expiration,
      ...answer,
    };
  };
  const names = [
    'subject_token',
    'subject_token_type',
    'requested_token_type',
    'scope',
    'resource',
  ];
  provider.registerGrantType(grantType, handle, names);
}
