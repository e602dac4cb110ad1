import type { AnswerLie, IdTokenLie } from '../../lib/testing/lies.ts';

/** A key as the OP publishes it. */
export type Jwk = Record<string, unknown>;

/** Changes the keys that the OP publishes. */
export const published = (change: (keys: Jwk[]) => unknown[]): { jwks: AnswerLie } => ({
  jwks: { json: ({ keys }) => ({ keys: change(keys as Jwk[]) }) },
});

/** The same keys, not named. */
export const withoutKid = (keys: Jwk[]): Jwk[] => keys.map(({ kid, ...key }) => key);

/** A token that does not name its key. */
export const noKid: IdTokenLie = { header: { kid: undefined } };
