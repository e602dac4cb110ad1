import type { AccessTokenSet, LoginFindings, TokenSet } from '../oidc/code-exchange.ts';
import type { IdTokenClaims } from '../oidc/id-token-claims.ts';
import { createPacker, type Packer } from './packing.ts';
import type { TokenRecord } from './token-record.ts';

/** Token records as bytes, which are to be sealed. */
export interface RecordFormat {
  write(record: TokenRecord): Buffer;
  /**
   * Reads what {@link write} wrote and a seal protected; `undefined` for another format. ID Token and
   * claims are read when somebody asks for them, as most requests ask for the access token only.
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
  refreshIssuedAt: number,
  /** Characters of header and payload of the ID Token in the text; without them it is among the tokens, whole. */
  idToken: readonly [header: number, payload: number] | null,
  /** Left out by logins that use one API only, unless something follows. */
  apiTokens?: readonly (readonly [key: string, access: AccessFields])[],
  /** Left out by logins that brought nothing else. */
  findings?: LoginFindings,
];

type AccessFields = readonly [expiresAt: number | null, expiresIn: number | null, scope: string];

/** What ID Tokens have in common. */
const commonClaims =
  '"given_name":"","family_name":"","preferred_username":"","updated_at":"","picture":"https://","nickname":"","org_id":"","sid":"","acr":"","amr":["pwd"],"azp":"","email_verified":true,"email":"","name":"","at_hash":"","c_hash":"","auth_time":17,"nonce":"","iat":17,"exp":17,{"alg":"RS256","typ":"JWT","kid":""}{"iss":"","sub":"","aud":""}';

/** The format of the records of one client at one OP. */
export function createRecordFormat(client: { issuer: string; clientId: string }): RecordFormat {
  const packer = createPacker(`${JSON.stringify([client.clientId, client.issuer])}${commonClaims}`);
  return {
    write: (record) => packer.pack(contentOf(record)),
    read: (bytes) => recordOf(packer.unpack(bytes)),
  };
}

function contentOf(record: TokenRecord): Parameters<Packer['pack']>[0] {
  const { tokens, apiTokens } = record;
  const idToken = splitIdToken(tokens.idToken);
  const head: Head = [
    2,
    record.loginId,
    record.version,
    accessFields(tokens),
    tokens.refreshToken === undefined ? 0 : 1,
    record.loggedInAt,
    tokens.refreshIssuedAt,
    idToken.lengths,
  ];
  const { userinfo } = tokens;
  if (apiTokens.size > 0 || userinfo) {
    head.push([...apiTokens].map(([key, token]) => [key, accessFields(token)]));
  }
  if (userinfo) head.push({ userinfo });
  return {
    head,
    tokens: [
      tokens.accessToken,
      ...(tokens.refreshToken === undefined ? [] : [tokens.refreshToken]),
      idToken.token,
      ...[...apiTokens.values()].map(({ accessToken }) => accessToken),
    ],
    text: idToken.text + keptClaims(tokens),
  };
}

function recordOf({
  head,
  tokens,
  readText,
}: ReturnType<Packer['unpack']>): TokenRecord | undefined {
  const [format, loginId, version, access, hasRefreshToken, loggedInAt, refreshIssuedAt, ...rest] =
    head as Head;
  if (format !== 2) return undefined;
  const [idTokenLengths, apiTokens = [], findings = {}] = rest;
  const [accessToken = '', ...others] = tokens;
  const refreshToken = hasRefreshToken ? others.shift() : undefined;
  const [packedIdToken = '', ...apiAccessTokens] = others;
  let identity: Pick<TokenSet, 'idToken' | 'claims'> | undefined;
  const readIdentity = (): Pick<TokenSet, 'idToken' | 'claims'> => {
    identity ??= identityOf(packedIdToken, idTokenLengths, readText());
    return identity;
  };
  return {
    loginId,
    version,
    tokens: {
      ...accessTokenSet(accessToken, access),
      refreshToken,
      refreshIssuedAt,
      ...freeze(findings),
      get idToken() {
        return readIdentity().idToken;
      },
      get claims() {
        return readIdentity().claims;
      },
    },
    loggedInAt,
    apiTokens: new Map(
      apiTokens.map(([key, fields], index) => [
        key,
        accessTokenSet(apiAccessTokens[index] ?? '', fields),
      ]),
    ),
  };
}

function accessFields({ expiresAt, expiresIn, scope }: AccessTokenSet): AccessFields {
  return [expiresAt ?? null, expiresIn ?? null, scope];
}

function accessTokenSet(
  accessToken: string,
  [expiresAt, expiresIn, scope]: AccessFields,
): AccessTokenSet {
  return {
    accessToken,
    expiresAt: expiresAt ?? undefined,
    expiresIn: expiresIn ?? undefined,
    scope,
  };
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

function identityOf(
  token: string,
  lengths: readonly [number, number] | null | undefined,
  text: string,
): Pick<TokenSet, 'idToken' | 'claims'> {
  const [header, payload] = lengths ?? [0, 0];
  const kept = text.slice(header + payload);
  const idToken = lengths
    ? joinIdToken(text.slice(0, header), text.slice(header, header + payload), token)
    : token;
  const payloadClaims: IdTokenClaims = lengths
    ? JSON.parse(text.slice(header, header + payload))
    : decodeClaims(token);
  const keptOfLogin = kept === '' ? undefined : JSON.parse(kept);
  return { idToken, claims: freeze({ ...keptOfLogin, ...payloadClaims }) };
}

/** Several requests of a session are given the same claims. */
function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(freeze);
  return Object.freeze(value);
}

/** Claims of the login that a refreshed ID Token lacks, as text; the others are read back from the ID Token. */
function keptClaims(tokens: TokenSet): string {
  const inToken = decodeClaims(tokens.idToken);
  const kept = Object.entries(tokens.claims).filter(([name]) => !(name in inToken));
  return kept.length === 0 ? '' : JSON.stringify(Object.fromEntries(kept));
}

/** The payload of an ID Token that was verified before it was stored. */
function decodeClaims(idToken: string): IdTokenClaims {
  return JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString('utf8'));
}
