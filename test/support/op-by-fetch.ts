import type { CommonOptions } from 'passport-oidc-hybrid';
import { resolveOptions } from '../../lib/options/resolve-options.ts';
import type { ClientCredentials, ResolvedOptions } from '../../lib/options.ts';

/** A request that came by the option `fetch`. */
export interface FetchedRequest {
  readonly url: string;
  readonly parameters: Record<string, string>;
  readonly headers: Headers;
}

/** An OP behind the option `fetch`, for tests of single functions at an https issuer. */
export interface OpByFetch {
  readonly options: ResolvedOptions;
  readonly requests: FetchedRequest[];
  /** Changes the discovery document from now on. */
  metadata: Record<string, unknown>;
  /** Answers at the token endpoint. */
  token: () => Response | Promise<Response>;
  /** Answers at every other URL that is asked for keys. */
  keys: () => Response | Promise<Response>;
}

export function opByFetch(
  oidc: Partial<CommonOptions> = {},
  credentials: ClientCredentials = { clientSecret: 'secret of the client, of 32 bytes' },
): OpByFetch {
  const issuer = oidc.issuer ?? 'https://op.example';
  const requests: FetchedRequest[] = [];
  const fetch = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const url = String(input);
    const body = new URLSearchParams(String(init.body ?? ''));
    const headers = new Headers(init.headers);
    requests.push({ url, parameters: Object.fromEntries(body), headers });
    if (url.endsWith('/.well-known/openid-configuration')) return Response.json(op.metadata);
    return url === op.metadata['token_endpoint'] ? op.token() : op.keys();
  };
  const op: OpByFetch = {
    requests,
    metadata: {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      id_token_signing_alg_values_supported: ['ES256'],
    },
    token: () => Response.json({ access_token: 'at', token_type: 'Bearer' }),
    keys: () => Response.json({ keys: [] }),
    options: resolveOptions({
      issuer,
      clientId: 'client',
      ...credentials,
      baseUrl: 'https://app.example',
      secret: 'a secret for tests, of 32 characters',
      fetch: fetch as typeof globalThis.fetch,
      ...oidc,
    }),
  };
  return op;
}
