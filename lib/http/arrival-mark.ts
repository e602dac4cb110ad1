/** At the end of a URL to which the browser has been led once more. */
const mark = 'oidc_arrived=yes';

/** The URL for a request that is to be taken as it comes. */
export function withArrivalMark(url: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${mark}`;
}

/** Whether a URL has the mark, whoever put it there: it only makes a login begin at once. */
export function hasArrivalMark(url: string): boolean {
  return url.endsWith(`?${mark}`) || (url.includes('?') && url.endsWith(`&${mark}`));
}

/** The URL that was asked for at first. */
export function withoutArrivalMark(url: string): string {
  return hasArrivalMark(url) ? url.slice(0, -mark.length - 1) : url;
}
