import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import type { Response } from 'express';
import type { Dispatcher, Pool } from 'undici';
import { HybridFlowError, ProxyError } from '../../errors.ts';
import type { MutualTls } from '../../oidc/mutual-tls.ts';
import { loadUndici } from '../../undici.ts';
import type { ProxiedBody } from './proxied-body.ts';
import type { ProxyTarget } from './proxy-target.ts';

/** A request to the API. */
export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: string[];
  readonly body: ProxiedBody;
  /** Length of a body that comes as a stream, where the caller has said it. */
  readonly contentLength: string | undefined;
  /** Connections on which the client shows its certificate, where it has one. */
  readonly mutualTls: MutualTls | undefined;
}

/** The beginning of the API's answer. */
export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** The API, and the connections to it. They lead there and nowhere else. */
export interface Upstream {
  /**
   * Sends a request and streams its answer to the caller; the request ends when the caller has gone.
   *
   * @param begin prepares the response for an answer, or says by `false` that the caller shall not get it
   * @returns what `begin` has said
   * @throws {@link ProxyError} `ERR_OIDC_PROXY_FAILED`, `ERR_OIDC_PROXY_TIMEOUT`, and what `begin` throws
   */
  send(
    request: UpstreamRequest,
    res: Response,
    begin: (answer: UpstreamAnswer) => boolean,
  ): Promise<boolean>;
}

const timeoutCodes = [
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
] as const;

/**
 * @param timeoutSeconds how long the API may keep still: before its answer, and between two parts of it
 */
export function createUpstream({ origin }: ProxyTarget, timeoutSeconds: number): Upstream {
  const timeout = timeoutSeconds * 1000;
  let pool: Pool | undefined;
  const opening = loadUndici().then((undici) => {
    pool = new undici.Pool(origin);
    return pool;
  });
  // A failure is told to each request that waits for it.
  opening.catch(() => undefined);

  return {
    async send({ method, path, headers, body, contentLength, mutualTls }, res, begin) {
      const connections = (await mutualTls?.dispatcher()) ?? pool ?? (await opening);
      if (res.closed) return true;
      const caller = new EventEmitter();
      const leave = (): void => void caller.emit('abort');
      res.once('close', leave);
      if (contentLength !== undefined) headers.push('content-length', contentLength);
      let isWanted = true;
      try {
        await connections.stream(
          {
            origin,
            path,
            method: method as Dispatcher.HttpMethod,
            headers,
            body,
            headersTimeout: timeout,
            bodyTimeout: timeout,
            signal: caller,
          },
          ({ statusCode: status, headers: answered }) => {
            isWanted = begin({ status, headers: answered as IncomingHttpHeaders });
            // undici then gives the connection up, which is less than to read what nobody wants.
            if (!isWanted) throw new Error('the answer is not wanted');
            return res;
          },
        );
      } catch (error) {
        if (isWanted) throw translate(error);
      } finally {
        res.off('close', leave);
      }
      return isWanted;
    },
  };
}

function translate(error: unknown): unknown {
  if (error instanceof HybridFlowError) return error;
  const { code } = error as { code?: unknown };
  if ((timeoutCodes as readonly unknown[]).includes(code)) {
    return new ProxyError(
      'ERR_OIDC_PROXY_TIMEOUT',
      'the API did not answer in time (timeoutSeconds)',
      error,
    );
  }
  return new ProxyError(
    'ERR_OIDC_PROXY_FAILED',
    'the API could not be reached, or its answer broke off or cannot be read; see "cause"',
    error,
  );
}
