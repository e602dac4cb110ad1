import type { ResolvedOptions } from '../options.ts';
import { type BoundedRequest, readBounded } from './bounded-answer.ts';
import type { MutualTls } from './mutual-tls.ts';
import { noteRequest } from './sent-secrets.ts';
import { sendByUndici } from './undici-request.ts';

/** Fetch 2.2.6: no Response is made of these with a body, and an OP may send one all the same. */
const bodiless: readonly number[] = [204, 205, 304];

/**
 * A `fetch` that a slow or lying OP cannot hold up: the time limit covers the body too, the body
 * has a cap, and a redirect is returned and not followed, because a token request that is sent
 * on elsewhere takes the client's credentials with it.
 *
 * @param rewrite changes the text of a good answer to a POST
 * @param mutualTls connections on which the client shows its certificate; a `fetch` of the application gets them
 *   as `dispatcher`
 */
export function boundedFetch(
  options: Pick<ResolvedOptions, 'customFetch' | 'httpTimeoutSeconds'>,
  rewrite?: (text: string) => string,
  mutualTls?: MutualTls,
): (url: string, init?: object) => Promise<Response> {
  const { customFetch, httpTimeoutSeconds } = options;
  const send = customFetch === undefined ? sendByUndici : sendBy(customFetch);
  return async (url, init: BoundedRequest = {}) => {
    const signal = AbortSignal.timeout(httpTimeoutSeconds * 1000);
    const dispatcher = await mutualTls?.dispatcher();
    const { body, ...answer } = await send(url, init, signal, dispatcher);
    const isEmpty = body.length === 0 || bodiless.includes(answer.status);
    if (isEmpty) return noteRequest(new Response(null, answer), init);
    const isRewritten = rewrite !== undefined && init.method === 'POST' && answer.status < 300;
    return noteRequest(new Response(isRewritten ? rewrite(body.toString()) : body, answer), init);
  };
}

/** By the fetch that the application gave. */
function sendBy(fetch: typeof globalThis.fetch): typeof sendByUndici {
  return async (url, init, signal, dispatcher) => {
    const shown = dispatcher === undefined ? {} : { dispatcher };
    const wanted = { ...init, redirect: 'manual', signal, ...shown };
    const response = await fetch(url, wanted as RequestInit);
    const { status, statusText, headers } = response;
    return { status, statusText, headers, body: await readBounded(response.body ?? nothing()) };
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
