import * as client from 'openid-client';
import type { ResolvedOptions } from '../options.ts';

/**
 * How this client proves itself at the token endpoint.
 *
 * Without an option, `client_secret_basic` where the OP offers it or says nothing, because that is
 * what a registration means by default; else `client_secret_post`.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication Core 9}
 */
export function clientAuthentication(
  options: Pick<ResolvedOptions, 'clientSecret' | 'tokenEndpointAuthMethod'>,
  offered: readonly string[] | undefined,
): client.ClientAuth {
  const secret = options.clientSecret ?? '';
  switch (options.tokenEndpointAuthMethod ?? defaultMethod(offered)) {
    case 'client_secret_basic':
      return client.ClientSecretBasic(secret);
    case 'client_secret_post':
      return client.ClientSecretPost(secret);
    case 'client_secret_jwt':
      return client.ClientSecretJwt(secret);
    case 'none':
      return client.None();
  }
}

function defaultMethod(
  offered: readonly string[] | undefined,
): 'client_secret_basic' | 'client_secret_post' {
  const isPostOnly =
    offered?.includes('client_secret_post') && !offered.includes('client_secret_basic');
  return isPostOnly ? 'client_secret_post' : 'client_secret_basic';
}
