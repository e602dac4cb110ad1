import type { KeyObject } from 'node:crypto';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';

/** How a token is encrypted. */
export interface Encryption {
  readonly key: KeyObject | Uint8Array;
  readonly alg: string;
  readonly enc: string;
  readonly kid?: string;
}

/** What can be wrong with one ID Token. */
export interface IdTokenLie {
  /** Claims to change; `undefined` takes a claim away. */
  claims?: Record<string, unknown>;
  /** Header parameters to change. */
  header?: Record<string, unknown>;
  /**
   * Signed by something else than the OP's key; `none` is not signed at all, and `embedded_key` is
   * a foreign key that the header brings along.
   */
  signedWith?: 'none' | 'client_secret' | 'public_key' | 'foreign_key' | 'embedded_key';
  /** Encrypted in another way than the OP has registered, or not at all. */
  encrypted?: Encryption | 'not';
  /** Changes the token at last. */
  tampered?: (token: string) => string;
  /** Sent in place of a token. */
  raw?: string;
}

/** What can be wrong with one answer over HTTP. */
export interface AnswerLie {
  status?: number;
  headers?: Record<string, string>;
  /** Changes the JSON of the answer. */
  json?: (body: Record<string, unknown>) => unknown;
  /** Sent in place of JSON. */
  body?: string;
  /** Time that the OP takes for the answer, once it has made it. */
  delaySeconds?: number;
  /** Answers by hand. */
  answer?: (res: ServerResponse) => void;
}

/** A request that the OP may refuse. */
export interface RefusedRequest {
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
}

/** One knob for each lie of the OP. */
export interface Lies {
  frontIdToken?: IdTokenLie;
  backIdToken?: IdTokenLie;
  refreshedIdToken?: IdTokenLie;
  /** Changes names and values of the authorization response. */
  response?: (parameters: [name: string, value: string][]) => [name: string, value: string][];
  /** Answers as if another response type had been asked for. */
  responseType?: string;
  /** Answers a request in place of everything else, before it looks at who has sent it. */
  refuses?: (request: RefusedRequest) => AnswerLie | undefined;
  /** Answers in another mode than was asked for. */
  responseMode?: string;
  /** What is wrong with an authorization response that is a JWT. */
  responseJwt?: IdTokenLie;
  /** Has to ask the user something: answers with the error unless the request has such a `prompt`. */
  mustAsk?: { readonly error: string; readonly prompts: readonly string[] } | undefined;
  /** What is wrong with the answer to a token exchange. */
  exchange?: AnswerLie;
  discovery?: AnswerLie;
  jwks?: AnswerLie;
  token?: AnswerLie;
  refresh?: AnswerLie;
  /**
   * Decides at each refresh request, by the subject of its grant, whether the OP fails. It does so
   * before it reads the grant: no refresh token is spent, and no reuse is seen.
   */
  refreshOutage?: (subject: string) => AnswerLie | undefined;
  revocation?: AnswerLie;
  /** Takes pushed authorization requests only, and says so. */
  requiresPushedRequests?: boolean;
  pushedRequest?: AnswerLie;
  userinfo?: AnswerLie;
  /** Answers at the UserInfo Endpoint with a JWT, and lies in it. */
  signedUserinfo?: IdTokenLie;
  /** Knows no other redirect URIs than these, and shows a page to whoever asks for another. */
  redirectUris?: readonly string[];
  /** Takes a code with any verifier. */
  ignoresPkce?: boolean;
  /** Seconds; `undefined` leaves `expires_in` out. */
  expiresIn?: number | undefined;
}
