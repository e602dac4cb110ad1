let loading: Promise<typeof import('undici')> | undefined;

/**
 * The HTTP client for calls to the OP and for `oidc.proxy()`. It takes as long to load as Express does, and is
 * not needed before the first call.
 */
export function loadUndici(): Promise<typeof import('undici')> {
  loading ??= import('undici');
  return loading;
}
