import { SignJWT } from 'jose';
import type { SigningKey } from '../signing-key.ts';

/** A JWT of this client, in the compact form. */
export function signJwt(
  claims: Readonly<Record<string, unknown>>,
  { alg, kid, key }: SigningKey,
  typ = 'JWT',
): Promise<string> {
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg, typ, ...(kid === undefined ? {} : { kid }) })
    .sign(key);
}
