import type { ResolvedOptions } from '../options.ts';

/** Largest answer of an OP that is read: discovery, keys and token responses are far smaller. */
const maxAnswerBytes = 1_048_576;

/** Thrown inside a fetch when the answer is larger than {@link maxAnswerBytes}. */
export class AnswerTooLargeError extends Error {}

/**
 * A `fetch` that a slow or lying OP cannot hold up: the time limit covers the body too, the body
 * has a cap, and a redirect is returned and not followed, because a token request that is sent
 * on elsewhere takes the client's credentials with it.
 */
export function boundedFetch(
  options: Pick<ResolvedOptions, 'fetch' | 'httpTimeoutSeconds'>,
): (url: string, init?: object) => Promise<Response> {
  return async (url, init) => {
    const signal = AbortSignal.timeout(options.httpTimeoutSeconds * 1000);
    const response = await options.fetch(url, { ...init, redirect: 'manual', signal });
    const body = await readBody(response);
    const isEmpty = body.length === 0 || [204, 205, 304].includes(response.status);
    return new Response(isEmpty ? null : body, {
      status: response.status,
      statusText: response.statusText,
      headers: response.headers,
    });
  };
}

async function readBody(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxAnswerBytes) throw new AnswerTooLargeError(`over ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
