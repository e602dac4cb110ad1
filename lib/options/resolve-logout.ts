import { OptionsError } from '../errors.ts';
import type { HybridFlowOptions, ResolvedOptions } from '../options.ts';
import { invalid, readBoolean, readFunction, readOptionalNumber } from './option-values.ts';

/** How logins end: here, at the OP, and by themselves. */
type LogoutOptions = Pick<
  ResolvedOptions,
  | 'backchannelLogout'
  | 'frontchannelLogout'
  | 'indexSessions'
  | 'endSessionParams'
  | 'endSessionUrl'
  | 'idleLifetimeSeconds'
  | 'absoluteLifetimeSeconds'
  | 'refreshTokenLifetimeSeconds'
  | 'endWithIdToken'
>;

/**
 * Checks what ends logins.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`
 */
export function resolveLogout(options: HybridFlowOptions): LogoutOptions {
  return {
    ...readOpLogout(options),
    endSessionParams: readEndSessionParams(options),
    endSessionUrl: readFunction(options, 'endSessionUrl'),
    idleLifetimeSeconds: readOptionalNumber(options, 'idleLifetimeSeconds', 60),
    absoluteLifetimeSeconds: readOptionalNumber(options, 'absoluteLifetimeSeconds', 1),
    refreshTokenLifetimeSeconds: readOptionalNumber(options, 'refreshTokenLifetimeSeconds', 1),
    endWithIdToken: readBoolean(options, 'endWithIdToken') ?? false,
  };
}

function readOpLogout(
  options: HybridFlowOptions,
): Pick<ResolvedOptions, 'backchannelLogout' | 'frontchannelLogout' | 'indexSessions'> {
  const backchannelLogout = readBoolean(options, 'backchannelLogout') ?? false;
  const frontchannelLogout = readBoolean(options, 'frontchannelLogout') ?? false;
  const isNeeded = backchannelLogout || frontchannelLogout;
  const indexSessions = readBoolean(options, 'indexSessions') ?? isNeeded;
  if (isNeeded && !indexSessions) {
    throw new OptionsError(
      'ERR_OIDC_OPTION_INVALID',
      'indexSessions',
      '"indexSessions" cannot be false with "backchannelLogout" or "frontchannelLogout", which find sessions by it',
    );
  }
  return { backchannelLogout, frontchannelLogout, indexSessions };
}

const noEndSessionParams = (): Readonly<Record<string, string>> => ({});

function readEndSessionParams(options: HybridFlowOptions): ResolvedOptions['endSessionParams'] {
  const { endSessionParams } = options;
  if (endSessionParams === undefined) return noEndSessionParams;
  if (typeof endSessionParams === 'function') return endSessionParams;
  const isTexts = Object.values(endSessionParams ?? [null]).every(
    (value) => typeof value === 'string',
  );
  if (typeof endSessionParams !== 'object' || endSessionParams === null || !isTexts) {
    throw invalid('endSessionParams', 'an object of strings, or a function', endSessionParams);
  }
  const parameters = Object.freeze({ ...endSessionParams });
  return () => parameters;
}
