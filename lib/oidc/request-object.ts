import { randomBytes } from 'node:crypto';
import { OptionsError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import { signJwt } from './signed-jwt.ts';

/**
 * The authorization request as a signed JWT, for the parameter `request`: nobody between here and the
 * OP can change it, and it may say what no parameter has a name for. It has every parameter of the
 * request. These are sent in clear as well, as OPs need some of them there (Core 6.1) and some take
 * only claims of their own from the object.
 *
 * @throws {@link OptionsError} when the subject would be the client
 * @see {@link https://www.rfc-editor.org/rfc/rfc9101#section-4 RFC 9101 section 4}
 */
export async function signRequestObject(
  issuer: string,
  parameters: readonly (readonly [name: string, value: string])[],
  claims: Readonly<Record<string, unknown>>,
  options: Pick<ResolvedOptions, 'clientId' | 'now' | 'clockToleranceSeconds'>,
  { key, typ, lifetimeSeconds }: NonNullable<ResolvedOptions['requestObject']>,
): Promise<string> {
  // RFC 9101 10.8: or whoever sees the object could authenticate as this client with it.
  const isOwnSubject = ([name, value]: readonly [string, unknown]): boolean =>
    name === 'sub' && value === options.clientId;
  if ([...Object.entries(claims), ...parameters].some(isOwnSubject)) {
    const message = '"sub" of a request object must not be the client itself';
    throw new OptionsError('ERR_OIDC_OPTION_INVALID', 'requestObject', message);
  }
  const iat = Math.floor(options.now() / 1000);
  const payload = {
    ...claims,
    ...claimsOf(parameters),
    iss: options.clientId,
    aud: issuer,
    iat,
    // The OP's clock may be behind ours.
    nbf: iat - options.clockToleranceSeconds,
    exp: iat + lifetimeSeconds,
    jti: randomBytes(16).toString('base64url'),
  };
  return signJwt(payload, key, typ);
}

/** Parameters whose text is JSON, which stands in the object as what it is. Core 6.1. */
const jsonParameters: readonly string[] = ['max_age', 'claims', 'authorization_details'];

/** RFC 9101 4: what may come several times is an array. */
function claimsOf(
  parameters: readonly (readonly [name: string, value: string])[],
): Record<string, unknown> {
  const claims: Record<string, unknown> = {};
  for (const [name, value] of parameters) {
    const before = claims[name];
    if (before !== undefined) claims[name] = [before, value].flat();
    else claims[name] = jsonParameters.includes(name) ? JSON.parse(value) : value;
  }
  return claims;
}
