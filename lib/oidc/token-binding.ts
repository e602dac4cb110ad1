import { ValidationError } from '../errors.ts';

/** What an access token is bound to, as its claim `cnf` names it. */
export type BindingName = 'x5t#S256' | 'jkt';

const sections: Readonly<Record<BindingName, string>> = {
  'x5t#S256': 'RFC 8705 3.1',
  jkt: 'RFC 9449 6.1',
};

/**
 * Refuses an access token that whoever steals it could use, as far as a client can tell: a JWT that names no
 * key, or another one. Opaque ones say nothing.
 *
 * @param wanted thumbprints; one of them has to be there
 * @throws {@link ValidationError} `ERR_OIDC_TOKEN_BINDING`
 */
export function checkTokenBinding(
  accessToken: string,
  name: BindingName,
  wanted: readonly string[],
): void {
  const payload = readPayload(accessToken);
  if (payload === undefined) return;
  const found: unknown = (payload['cnf'] as Record<string, unknown> | null | undefined)?.[name];
  if (typeof found === 'string' && wanted.includes(found)) return;
  throw new ValidationError(
    'ERR_OIDC_TOKEN_BINDING',
    sections[name],
    `the access token has to be bound to this client by cnf.${name}, and is not`,
  );
}

/** The payload of a JWT; nobody but an API can tell whether it is true. */
function readPayload(accessToken: string): Record<string, unknown> | undefined {
  const parts = accessToken.split('.');
  if (parts.length !== 3) return undefined;
  try {
    const payload: unknown = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString());
    const isObject = typeof payload === 'object' && payload !== null && !Array.isArray(payload);
    return isObject ? (payload as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
