/** Where {@link setIdTokenAside} keeps the ID Token of a token response. */
export const unverifiedIdTokenName = 'unverified_id_token';

/**
 * Wraps a fetch so that openid-client finds no ID Token in a token response. It would check it by
 * rules of its own, narrower than ours in some clauses and wider in others, and by a clock of its
 * own; ID Tokens of both channels are checked in one place, `id-token.ts`.
 */
export function setIdTokenAside(
  fetch: (url: string, init?: object) => Promise<Response>,
): (url: string, init?: object) => Promise<Response> {
  return async (url, init) => {
    const response = await fetch(url, init);
    if ((init as { method?: string } | undefined)?.method !== 'POST' || !response.ok)
      return response;
    const text = await response.text();
    return new Response(renameIdToken(text), response);
  };
}

function renameIdToken(text: string): string {
  try {
    const { id_token, ...rest } = JSON.parse(text);
    return id_token === undefined
      ? text
      : JSON.stringify({ ...rest, [unverifiedIdTokenName]: id_token });
  } catch {
    // Not JSON: openid-client says so.
    return text;
  }
}
