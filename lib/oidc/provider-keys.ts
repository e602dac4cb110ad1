import {
  type CryptoKey,
  createRemoteJWKSet,
  customFetch,
  errors,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
} from 'jose';
import { type ResolvedOptions, signatureAlgorithms } from '../options.ts';
import { refuseOutage, translateError } from './translate-error.ts';

/** Keys older than this are fetched again; if that fails, the ones at hand go on serving. */
const maxAgeSeconds = 600;

/** Least time between two fetches caused by tokens with an unknown `kid`, which anybody can send. */
const cooldownSeconds = 30;

/** The OP's public keys. */
export interface ProviderKeys {
  /** Finds the key of a token, as jose wants it. */
  find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey>;
  /** Fetches the keys, so that a refresh token is not spent on an ID Token that cannot be verified. */
  preload(): Promise<void>;
  /** Those at hand, as the OP publishes them. */
  published(): readonly unknown[];
}

/** Whether a published key is one that ID Tokens may be verified with. */
export function isForIdTokens(key: unknown): boolean {
  const { kty, use = 'sig', alg } = Object(key) as Record<'kty' | 'use' | 'alg', unknown>;
  const isKnown = alg === undefined || signatureAlgorithms.some((known) => known === alg);
  return ['RSA', 'EC', 'OKP'].some((known) => known === kty) && use === 'sig' && isKnown;
}

/**
 * The OP's public keys: fetched when first needed, once for everybody who waits, again when a
 * token names a key that is not among them.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#RotateSigKeys Core 10.1.1}
 */
export function providerKeys(
  jwksUri: string,
  fetch: (url: string, init?: object) => Promise<Response>,
  options: Pick<ResolvedOptions, 'now' | 'httpTimeoutSeconds'>,
): ProviderKeys {
  // jose decides nothing by its own clock here, so that all rules follow `now`.
  const remote = createRemoteJWKSet(new URL(jwksUri), {
    [customFetch]: async (url, init) => refuseOutage(await fetch(url, init), 'jwks'),
    cacheMaxAge: Number.POSITIVE_INFINITY,
    cooldownDuration: Number.POSITIVE_INFINITY,
    timeoutDuration: (options.httpTimeoutSeconds + 1) * 1000,
  });
  /** Epoch milliseconds. */
  let fetchedAt = Number.NEGATIVE_INFINITY;
  /** When a token with an unknown `kid` had the keys fetched; epoch milliseconds. */
  let soughtAt = Number.NEGATIVE_INFINITY;

  const fetchKeys = async (): Promise<void> => {
    // Counts as fetched at once, so that a failure is not tried again by everybody.
    fetchedAt = options.now();
    try {
      await remote.reload();
      fetchedAt = options.now();
    } catch (error) {
      throw translateError(error, 'jwks');
    }
  };

  /** Once for everybody who waits. */
  let reloading: Promise<void> | undefined;
  const reload = (): Promise<void> => {
    reloading ??= fetchKeys().finally(() => {
      reloading = undefined;
    });
    return reloading;
  };

  return {
    preload: reload,
    published: () => remote.jwks()?.keys ?? [],
    async find(header, token) {
      const isOld = options.now() - fetchedAt > maxAgeSeconds * 1000;
      // Stale if error: old keys serve on while the OP cannot be reached.
      if (isOld) await reload().catch(() => undefined);
      try {
        return await remote(header, token);
      } catch (error) {
        const isUnknownKey = error instanceof errors.JWKSNoMatchingKey;
        // Counted from the last such token, and not from the last fetch: an OP may rotate its keys
        // just after they were fetched, in the middle of a login.
        const isTooSoon = options.now() - soughtAt < cooldownSeconds * 1000;
        if (!isUnknownKey || (isTooSoon && reloading === undefined)) throw error;
        soughtAt = options.now();
        await reload();
        return remote(header, token);
      }
    },
  };
}
