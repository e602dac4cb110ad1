import { ValidationError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';

/** A login that another site wants to begin here. */
export interface LoginInitiation {
  readonly loginHint: string | undefined;
  /** Not checked yet. */
  readonly targetLinkUri: string | undefined;
}

const usedParameters = ['iss', 'login_hint', 'target_link_uri'];

/** Longest value of one parameter: they travel in a URL. */
const maxLength = 2048;

/**
 * Reads the parameters of a login that a third party initiates. The issuer chooses nothing here: it has
 * to be the one of this flow.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#ThirdPartyInitiatedLogin Core 4}
 * @throws {@link ValidationError} `ERR_OIDC_INITIATION_PARAMETER`, `ERR_OIDC_INITIATION_ISS`
 */
export function readLoginInitiation(
  raw: Iterable<readonly [name: string, value: unknown]>,
  { issuer }: Pick<ResolvedOptions, 'issuer'>,
): LoginInitiation {
  const found = new Map<string, string>();
  for (const [name, value] of raw) {
    if (!usedParameters.includes(name) || value === '') continue;
    if (typeof value !== 'string' || value.length > maxLength || found.has(name)) {
      throw new ValidationError(
        'ERR_OIDC_INITIATION_PARAMETER',
        'Core 4',
        `the parameter ${name} of the route that initiates logins is there twice or too long`,
      );
    }
    found.set(name, value);
  }
  // Core 4: iss is REQUIRED; an unknown OP must not be gone to.
  if (found.get('iss') !== issuer) {
    throw new ValidationError(
      'ERR_OIDC_INITIATION_ISS',
      'Core 4',
      'the parameter iss of the route that initiates logins must be the option "issuer", to the letter',
    );
  }
  return { loginHint: found.get('login_hint'), targetLinkUri: found.get('target_link_uri') };
}
