import type { Request, Response } from 'express';

/**
 * The only style of this library's pages; the policy below names its hash. Nothing is centered from top to
 * bottom: a page that is shown before all of it is there would move as it grows.
 */
const style =
  ':root{color-scheme:light dark;--ink:#1c2024;--soft:#5b6470;--paper:#f6f7f9;--card:#fff;--line:#dde1e6;--accent:#14507a;--on-accent:#fff}@media (prefers-color-scheme:dark){:root{--ink:#eceff2;--soft:#a3adb8;--paper:#14171a;--card:#1d2125;--line:#343a41;--accent:#8cc4ee;--on-accent:#0b1a26}}*{box-sizing:border-box}body{margin:0;display:grid;justify-items:center;padding:clamp(1.5rem,14vh,9rem) clamp(1rem,4vw,1.5rem) 1.5rem;background:var(--paper);color:var(--ink);font:1rem/1.6 system-ui,sans-serif}main{width:100%;max-width:30rem;padding:clamp(1.25rem,6vw,2rem);background:var(--card);border:1px solid var(--line);border-radius:.75rem}h1{margin:0 0 .75rem;font-size:1.375rem;line-height:1.3}p{margin:0 0 1rem}main>:last-child{margin-bottom:0}nav,form{display:flex;flex-wrap:wrap;gap:.75rem;align-items:center;margin:1.5rem 0 0}a,button{font:inherit;color:var(--accent)}.main{display:inline-block;padding:.6rem 1.1rem;border:0;border-radius:.5rem;background:var(--accent);color:var(--on-accent);font-weight:600;text-decoration:none;cursor:pointer}a:focus-visible,button:focus-visible{outline:3px solid var(--accent);outline-offset:3px}.detail{margin:1.5rem 0 0;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.875rem;overflow-wrap:anywhere}code{font-family:ui-monospace,monospace}.late{visibility:hidden;animation:late 0s .8s forwards}@keyframes late{to{visibility:visible}}';

/** SHA-256 of {@link style}, as a policy spells it; a test recomputes it. */
const styleHash = 'sha256-YP+LRbRVsF/fNJnEImI7IwEDmmZDu5QIFEYAvHpKfJI=';

/** A script in a page, with its SHA-256 as a policy spells it; a test recomputes it. */
export interface InlineScript {
  readonly source: string;
  readonly hash: string;
}

/** A page of ours: complete HTML with texts already escaped. */
export interface Page {
  readonly title: string;
  /** Goes there, without a script. */
  readonly refreshTo?: string;
  /** @default 0 */
  readonly refreshSeconds?: number;
  readonly body: string;
  /** The only script that runs on the page. */
  readonly script?: InlineScript;
  /** Where a form of the page may lead, redirects included. @default "'self'" */
  readonly formAction?: string;
  /** @default 'same-origin', which lets a form of ours send its Origin */
  readonly referrerPolicy?: 'no-referrer' | 'strict-origin';
}

/** Sends a page under a policy of its own, which replaces the application's for this answer. */
export function sendPage(res: Response, status: number, page: Page): void {
  const refresh =
    page.refreshTo === undefined
      ? ''
      : `<meta http-equiv="refresh" content="${page.refreshSeconds ?? 0};url=${escapeHtml(page.refreshTo)}">`;
  const script = page.script === undefined ? '' : `<script>${page.script.source}</script>`;
  res
    .status(status)
    .set({
      'Content-Security-Policy': policyOf(page),
      'Cache-Control': 'no-store',
      'Referrer-Policy': page.referrerPolicy ?? 'same-origin',
      'X-Content-Type-Options': 'nosniff',
    })
    .type('html')
    .send(
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(page.title)}</title><meta name="viewport" content="width=device-width,initial-scale=1">${refresh}<style>${style}</style></head><body><main>${page.body}</main>${script}</body></html>`,
    );
}

function policyOf({ script, formAction = "'self'" }: Page): string {
  return [
    "default-src 'none'",
    `style-src '${styleHash}'`,
    ...(script === undefined ? [] : [`script-src '${script.hash}'`]),
    `form-action ${formAction}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** Sends the browser on by a page instead of a redirect: the next request is then our own page's. */
export function sendRefresh(
  res: Response,
  url: string,
  title: string,
  label: string,
  refreshSeconds: number = 0,
): void {
  sendPage(res, 200, {
    title,
    refreshTo: url,
    refreshSeconds,
    referrerPolicy: 'no-referrer',
    body: `<h1>${escapeHtml(title)}</h1><p><a href="${escapeHtml(url)}">${escapeHtml(label)}</a></p>`,
  });
}

/**
 * Sends the browser to another site. Chromium holds the redirects after a form against the page's
 * `form-action`, which a default helmet sets to 'self'; a page that refreshes is a navigation of
 * its own.
 */
export function sendOn(req: Request, res: Response, url: string, title: string): void {
  if (req.method === 'GET' || req.method === 'HEAD') sendRedirect(res, url);
  else sendRefresh(res, url, title, 'Continue');
}

/**
 * Redirects without leaving a trace: not cached, no Referer. Without a body, which nobody reads, and
 * which express-session would send in two parts where it saves the session first.
 */
export function sendRedirect(res: Response, url: string): void {
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('Referrer-Policy', 'no-referrer');
  res.setHeader('Content-Length', '0');
  res.location(url);
  res.statusCode = 303;
  res.end();
}

/** Text as it may stand in HTML, in attributes too. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
