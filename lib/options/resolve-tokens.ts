import { readEncryptionKeys } from '../encryption-key.ts';
import { OptionsError } from '../errors.ts';
import {
  type EncryptedResponse,
  type HybridFlowOptions,
  type ResolvedOptions,
  signatureAlgorithms,
} from '../options.ts';
import { invalid, readOneOf } from './option-values.ts';

/** What is known about the user at the end of a login, and in which form it comes. */
type TokenOptions = Pick<
  ResolvedOptions,
  | 'idTokenSignedResponseAlg'
  | 'authorizationSignedResponseAlg'
  | 'loadUserinfo'
  | 'userinfoSignedResponseAlg'
  | 'encryptionKeys'
  | 'encryptedResponses'
>;

type AlgorithmOption = Extract<keyof TokenOptions, `${string}Alg`>;

/**
 * Checks how authorization responses, ID Tokens and UserInfo have to come.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`, `ERR_OIDC_OPTION_MISSING`
 */
export function resolveTokens(options: HybridFlowOptions): TokenOptions {
  const readAlgorithm = (name: AlgorithmOption) =>
    readOneOf(name, options[name], signatureAlgorithms);
  return {
    idTokenSignedResponseAlg: readAlgorithm('idTokenSignedResponseAlg'),
    authorizationSignedResponseAlg: readAlgorithm('authorizationSignedResponseAlg'),
    loadUserinfo: readLoadUserinfo(options),
    userinfoSignedResponseAlg: readAlgorithm('userinfoSignedResponseAlg'),
    ...readEncryption(options),
  };
}

const responses: readonly EncryptedResponse[] = ['idToken', 'userinfo', 'authorization'];

function readEncryption({
  clientEncryptionKey,
  encryptedResponses,
}: HybridFlowOptions): Pick<ResolvedOptions, 'encryptionKeys' | 'encryptedResponses'> {
  const hasKey = clientEncryptionKey !== undefined;
  const named = encryptedResponses ?? (hasKey ? ['idToken'] : []);
  if (!Array.isArray(named) || !named.every((name) => responses.includes(name))) {
    const wanted = `an array of ${responses.map((name) => `"${name}"`).join(', ')}`;
    throw invalid('encryptedResponses', wanted, encryptedResponses);
  }
  if (named.length > 0 && !hasKey) {
    throw new OptionsError(
      'ERR_OIDC_OPTION_MISSING',
      'clientEncryptionKey',
      '"clientEncryptionKey" is required with "encryptedResponses"',
    );
  }
  return {
    encryptionKeys: hasKey ? readEncryptionKeys(clientEncryptionKey) : [],
    encryptedResponses: Object.freeze([...named]),
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
