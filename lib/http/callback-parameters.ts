import { type Request, type Response, urlencoded } from 'express';
import { ValidationError } from '../errors.ts';

/** Names and values as they arrived: not verified, possibly several of one name. */
export type RawParameters = [name: string, value: unknown][];

const mediaType = 'application/x-www-form-urlencoded';

/** More parameters than any OP sends. */
const maxParameters = 100;

/**
 * Reads the body of a form_post, whether or not the application has parsed it before.
 *
 * @see {@link https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html Form Post Response Mode}
 * @throws {@link ValidationError} `ERR_OIDC_CALLBACK_MEDIA_TYPE`, `ERR_OIDC_CALLBACK_BODY_TOO_LARGE`,
 *   `ERR_OIDC_CALLBACK_BODY_UNREADABLE`
 */
export async function readFormPost(
  req: Request,
  res: Response,
  limitBytes: number,
): Promise<RawParameters> {
  // The header itself, and not req.is(), which says no to a body that is empty.
  const contentType = req.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (contentType !== mediaType) {
    throw refusal('ERR_OIDC_CALLBACK_MEDIA_TYPE', `the callback takes a POST of ${mediaType} only`);
  }
  if (isUnread(req)) await parseBody(req, res, limitBytes);
  const body: unknown = req.body;
  if (typeof body === 'object' && body !== null && !Buffer.isBuffer(body)) {
    return Object.entries(body);
  }
  throw refusal(
    'ERR_OIDC_CALLBACK_BODY_UNREADABLE',
    'a middleware before the router has read the body of the callback and left no parameters; mount the router before it',
  );
}

/** Parsers of Express 4 leave an empty object where they read nothing. */
function isUnread(req: Request): boolean {
  return Object.keys(Object(req.body)).length === 0;
}

async function parseBody(req: Request, res: Response, limitBytes: number): Promise<void> {
  // The simple parser: it makes arrays of duplicates, and no objects of names with brackets.
  const parse = urlencoded({ extended: false, limit: limitBytes, parameterLimit: maxParameters });
  await new Promise<void>((resolve, reject) => {
    parse(req, res, (error: unknown) => (error ? reject(translate(error)) : resolve()));
  });
}

function translate(error: unknown): ValidationError {
  const { status } = error as { status?: unknown };
  if (status === 413) {
    const message = 'the body of the callback is larger than callbackBodyLimitBytes';
    return refusal('ERR_OIDC_CALLBACK_BODY_TOO_LARGE', message, error);
  }
  if (status === 415) {
    const message = 'the callback takes plain UTF-8 only: no other charset, no unknown encoding';
    return refusal('ERR_OIDC_CALLBACK_MEDIA_TYPE', message, error);
  }
  const message = 'the body of the callback could not be read to its end';
  return refusal('ERR_OIDC_CALLBACK_BODY_UNREADABLE', message, error);
}

function refusal(
  code:
    | 'ERR_OIDC_CALLBACK_MEDIA_TYPE'
    | 'ERR_OIDC_CALLBACK_BODY_TOO_LARGE'
    | 'ERR_OIDC_CALLBACK_BODY_UNREADABLE',
  message: string,
  cause?: unknown,
): ValidationError {
  return new ValidationError(code, 'Form Post Response Mode 2', message, withoutBody(cause));
}

/** Errors of the parser may hold the body, with the code and the ID Token in it. */
function withoutBody(cause: unknown): unknown {
  return cause instanceof Error ? new Error(cause.message) : undefined;
}

/** Name of the one form field in which the page of a fragment response posts the fragment. */
export const fragmentField = 'oidc_fragment';

/** The parameters of a fragment that our own page has posted; `undefined` in all other posts. */
export function readFragment(posted: RawParameters): RawParameters | undefined {
  const fragment = posted.find(([name]) => name === fragmentField)?.[1];
  return typeof fragment === 'string' ? [...new URLSearchParams(fragment)] : undefined;
}

/** The parameters in the query of a request, by no parser but the URL's own. */
export function readQuery(req: Request): [name: string, value: string][] {
  const query = req.url.split('?').slice(1).join('?');
  return [...new URLSearchParams(query)];
}
