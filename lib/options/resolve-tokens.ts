import { type HybridFlowOptions, type ResolvedOptions, signatureAlgorithms } from '../options.ts';
import { invalid, readOneOf } from './option-values.ts';

/** What is known about the user at the end of a login, and in which form it comes. */
type TokenOptions = Pick<
  ResolvedOptions,
  | 'idTokenSignedResponseAlg'
  | 'authorizationSignedResponseAlg'
  | 'loadUserinfo'
  | 'userinfoSignedResponseAlg'
>;

type AlgorithmOption = Extract<keyof TokenOptions, `${string}Alg`>;

/**
 * Checks how authorization responses, ID Tokens and UserInfo have to come.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`
 */
export function resolveTokens(options: HybridFlowOptions): TokenOptions {
  const readAlgorithm = (name: AlgorithmOption) =>
    readOneOf(name, options[name], signatureAlgorithms);
  return {
    idTokenSignedResponseAlg: readAlgorithm('idTokenSignedResponseAlg'),
    authorizationSignedResponseAlg: readAlgorithm('authorizationSignedResponseAlg'),
    loadUserinfo: readLoadUserinfo(options),
    userinfoSignedResponseAlg: readAlgorithm('userinfoSignedResponseAlg'),
  };
}

function readLoadUserinfo({ loadUserinfo }: HybridFlowOptions): ResolvedOptions['loadUserinfo'] {
  if (loadUserinfo === undefined || loadUserinfo === false) return undefined;
  if (loadUserinfo === true) return [];
  if (!Array.isArray(loadUserinfo) || !loadUserinfo.every((name) => typeof name === 'string')) {
    throw invalid('loadUserinfo', 'true, false, or an array of names of claims', loadUserinfo);
  }
  return Object.freeze([...loadUserinfo]);
}
