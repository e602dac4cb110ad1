import type { AccessTokenSet, LoginFindings, TokenSet } from '../oidc/code-exchange.ts';
import type { IdTokenClaims } from '../oidc/id-token-claims.ts';
import { createPacker, type PackedContent, type Unpacked } from './packing.ts';
import type { TokenRecord } from './token-record.ts';

/** Token records as bytes, which are to be sealed. */
export interface RecordFormat {
  write(record: TokenRecord): Buffer;
  /**
   * Reads what {@link write} wrote and a seal protected; `undefined` for another format. ID Token, claims and
   * scope are read when somebody asks for them, as most requests ask for the access token only.
   */
  read(bytes: Buffer): TokenRecord | undefined;
}

type Head = [
  /** Of this layout and its dictionary: records of another one are not read. */
  format: 2,
  loginId: string,
  version: number,
  access: AccessFields,
  hasRefreshToken: 0 | 1,
  loggedInAt: number,
  /** Seconds after `loggedInAt`, as all times that follow: they are short then. */
  refreshIssuedAfter: number,
  /** Characters of header and payload of the ID Token in the text; without them it is among the tokens, whole. */
  idToken: readonly [header: number, payload: number] | null,
  /** Left out by logins that use one API only, unless something follows. */
  apiTokens?: readonly (readonly [key: string, access: AccessFields])[],
  /** Left out by logins that brought nothing else. */
  findings?: LoginFindings,
];

type AccessFields = readonly [expiresAfter: number | null, expiresIn: number | null];

/** In the text, behind the ID Token. */
type Tail = readonly [
  /** Of the login's token, then of those for other APIs. */
  scopes: readonly string[],
  /** Claims of the login that a refreshed ID Token lacks; left out where it lacks none. */
  keptClaims?: Partial<IdTokenClaims>,
];

/** What ID Tokens have in common, and what comes behind them. */
const commonClaims =
  '"given_name":"","family_name":"","preferred_username":"","updated_at":"","picture":"https://","nickname":"","org_id":"","sid":"","acr":"","amr":["pwd"],"azp":"","email_verified":true,"email":"","name":"","at_hash":"","c_hash":"","auth_time":17,"nonce":"","iat":17,"exp":17,{"alg":"RS256","typ":"JWT","kid":""}{"iss":"","sub":"","aud":""}[["openid profile email offline_access"]]';

/** The format of the records of one client at one OP. */
export function createRecordFormat(client: { issuer: string; clientId: string }): RecordFormat {
  const packer = createPacker(`${JSON.stringify([client.clientId, client.issuer])}${commonClaims}`);
  return {
    write: (record) => packer.pack(contentOf(record)),
    read: (bytes) => recordOf(packer.unpack(bytes)),
  };
}

function contentOf(record: TokenRecord): PackedContent {
  const { tokens, apiTokens, loggedInAt } = record;
  const idToken = splitIdToken(tokens.idToken);
  const head: Head = [
    2,
    record.loginId,
    record.version,
    accessFields(tokens, loggedInAt),
    tokens.refreshToken === undefined ? 0 : 1,
    loggedInAt,
    tokens.refreshIssuedAt - loggedInAt,
    idToken.lengths,
  ];
  const { userinfo, authorizationDetails, dpop, isCertificateBound } = tokens;
  const findings: LoginFindings = { userinfo, authorizationDetails, dpop, isCertificateBound };
  const hasFindings = Object.values(findings).some((item) => item !== undefined);
  if (apiTokens.size > 0 || hasFindings) {
    head.push([...apiTokens].map(([key, token]) => [key, accessFields(token, loggedInAt)]));
  }
  if (hasFindings) head.push(findings);
  return {
    head,
    tokens: [
      tokens.accessToken,
      ...(tokens.refreshToken === undefined ? [] : [tokens.refreshToken]),
      idToken.token,
      ...[...apiTokens.values()].map(({ accessToken }) => accessToken),
    ],
    text: idToken.text + JSON.stringify(tailOf(record)),
  };
}

function recordOf(unpacked: Unpacked): TokenRecord | undefined {
  const [format, loginId, version, access, hasRefreshToken, loggedInAt, issuedAfter, ...rest] =
    unpacked.head as Head;
  if (format !== 2) return undefined;
  const [idTokenLengths, apiTokens = [], findings = {}] = rest;
  const idTokenPlace = 1 + hasRefreshToken;
  const details = readDetails(unpacked, idTokenPlace, idTokenLengths);
  return {
    loginId,
    version,
    tokens: {
      accessToken: unpacked.readToken(0),
      expiresAt: timeAfter(loggedInAt, access[0]),
      expiresIn: access[1] ?? undefined,
      refreshIssuedAt: loggedInAt + issuedAfter,
      ...freeze(findings),
      get refreshToken() {
        return hasRefreshToken ? unpacked.readToken(1) : undefined;
      },
      get scope() {
        return details.scopes[0] ?? '';
      },
      get idToken() {
        return details.idToken;
      },
      get claims() {
        return details.claims;
      },
    },
    loggedInAt,
    apiTokens: new Map(
      apiTokens.map(([key, [expiresAfter, expiresIn]], index) => [
        key,
        {
          accessToken: unpacked.readToken(idTokenPlace + 1 + index),
          expiresAt: timeAfter(loggedInAt, expiresAfter),
          expiresIn: expiresIn ?? undefined,
          get scope() {
            return details.scopes[index + 1] ?? '';
          },
        },
      ]),
    ),
  };
}

function accessFields({ expiresAt, expiresIn }: AccessTokenSet, loggedInAt: number): AccessFields {
  return [expiresAt === undefined ? null : expiresAt - loggedInAt, expiresIn ?? null];
}

function timeAfter(loggedInAt: number, seconds: number | null): number | undefined {
  return seconds === null ? undefined : loggedInAt + seconds;
}

function tailOf({ tokens, apiTokens }: TokenRecord): Tail {
  const scopes = [tokens, ...apiTokens.values()].map(({ scope }) => scope);
  const inToken = decodeClaims(tokens.idToken);
  const kept = Object.entries(tokens.claims).filter(([name]) => !(name in inToken));
  return kept.length === 0 ? [scopes] : [scopes, Object.fromEntries(kept)];
}

/** Header and payload as the text that they are; the signature, which is what makes it worth something, among the tokens. */
function splitIdToken(idToken: string): {
  lengths: readonly [number, number] | null;
  text: string;
  token: string;
} {
  const [header = '', payload = '', signature = ''] = idToken.split('.');
  const texts = [header, payload].map((part) => Buffer.from(part, 'base64url').toString());
  const [headerText = '', payloadText = ''] = texts;
  if (joinIdToken(headerText, payloadText, signature) !== idToken) {
    return { lengths: null, text: '', token: idToken };
  }
  const lengths = [headerText.length, payloadText.length] as const;
  return { lengths, text: headerText + payloadText, token: signature };
}

function joinIdToken(header: string, payload: string, signature: string): string {
  const [encodedHeader, encodedPayload] = [header, payload].map((part) =>
    Buffer.from(part).toString('base64url'),
  );
  return `${encodedHeader}.${encodedPayload}.${signature}`;
}

/** What is in the text, inflated once, and each read when it is asked for. */
function readDetails(
  unpacked: Unpacked,
  place: number,
  lengths: readonly [number, number] | null | undefined,
): Pick<TokenSet, 'idToken' | 'claims'> & { readonly scopes: readonly string[] } {
  const [header, payload] = lengths ?? [0, 0];
  const end = header + payload;
  let text: string | undefined;
  let tail: Tail | undefined;
  let claims: IdTokenClaims | undefined;
  const read = (from: number, to?: number): string => {
    text ??= unpacked.readText();
    return text.slice(from, to);
  };
  const readTail = (): Tail => {
    tail ??= JSON.parse(read(end)) as Tail;
    return tail;
  };
  return {
    get scopes() {
      return readTail()[0];
    },
    get idToken() {
      const token = unpacked.readToken(place);
      return lengths ? joinIdToken(read(0, header), read(header, end), token) : token;
    },
    get claims() {
      if (claims === undefined) {
        const inToken = lengths
          ? (JSON.parse(read(header, end)) as IdTokenClaims)
          : decodeClaims(unpacked.readToken(place));
        claims = freeze({ ...readTail()[1], ...inToken });
      }
      return claims;
    },
  };
}

/** Several requests of a session are given the same claims. */
function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(freeze);
  return Object.freeze(value);
}

/** The payload of an ID Token that was verified before it was stored. */
function decodeClaims(idToken: string): IdTokenClaims {
  return JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString('utf8'));
}
