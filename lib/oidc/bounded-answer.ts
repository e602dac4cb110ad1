/** Largest answer of an OP that is read: discovery, keys and token responses are far smaller. */
export const maxAnswerBytes = 1_048_576;

/** Thrown inside a fetch when the answer is larger than {@link maxAnswerBytes}. */
export class AnswerTooLargeError extends Error {
  constructor() {
    super(`over ${maxAnswerBytes} bytes`);
  }
}

/** A request to the OP, as openid-client and jose hand it over. */
export interface BoundedRequest {
  readonly method?: string | undefined;
  readonly headers?: RequestInit['headers'];
  readonly body?: RequestInit['body'];
}

/** An answer of the OP, read to its end. */
export interface BoundedAnswer {
  readonly status: number;
  readonly statusText?: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** Reads a body to its end, or to the cap. @throws {@link AnswerTooLargeError} */
export async function readBounded(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxAnswerBytes) throw new AnswerTooLargeError();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
