/**
 * By how many seconds this machine's clock is ahead of that of who has answered; negative where it is behind. The
 * header `Date` is exact to a second, and the answer was made while it was waited for: of all that may be so, this is
 * the smallest.
 *
 * @param sentAt when the request was made, epoch milliseconds
 * @param now when the answer was there, epoch milliseconds
 * @returns `undefined` where the answer has no date
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-6.6.1 RFC 9110 section 6.6.1}
 */
export function secondsAhead(
  headers: Pick<Headers, 'get'>,
  sentAt: number,
  now: number,
): number | undefined {
  const date = Date.parse(headers.get('date') ?? '');
  // RFC 9111 5.1: what a cache hands out was made so many seconds before.
  const age = Number(headers.get('age') ?? 0);
  const at = date + (age > 0 ? age * 1000 : 0);
  if (Number.isNaN(at)) return undefined;
  const [least, most] = [(sentAt - at) / 1000 - 1, (now - at) / 1000];
  if (least <= 0 && most >= 0) return 0;
  return least > 0 ? least : most;
}
