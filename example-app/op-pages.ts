import { type DemoAccount, demoAccounts } from './op-accounts.ts';

/**
 * The pages of the local OP, as strings: the OP has no template engine and needs none.
 *
 * They go out with {@link pagePolicy}, so there is no script and nothing from elsewhere in them.
 */

/**
 * The Content-Security-Policy of these pages.
 *
 * `form-action` names the shop beside the OP itself, because Chromium applies it to the redirects
 * that answer a form too, and with `response_type=code` those lead back to the shop.
 */
export function pagePolicy(shopUrl: string): string {
  return [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    `form-action 'self' ${shopUrl}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

export function signInPage(action: string, issuer: string): string {
  return page(
    'Sign in',
    `<h1>Sign in</h1>
    <p class="lead">to continue to <strong>Halyard</strong></p>
    <form method="post" action="${escapeHtml(action)}">
      <fieldset>
        <legend>Account</legend>
        ${demoAccounts.map(accountChoice).join('')}
      </fieldset>
      <label class="field" for="password">Password
        <input id="password" name="password" type="password" value="any password will do"
          autocomplete="off" aria-describedby="password-hint">
      </label>
      <p class="hint" id="password-hint">Filled in for you. Any password will do here.</p>
      <div class="actions">
        <button class="primary" type="submit" name="action" value="sign-in">Sign in</button>
        <button type="submit" name="action" value="cancel">Cancel</button>
      </div>
    </form>`,
    issuer,
  );
}

function accountChoice({ sub, name, email }: DemoAccount, index: number): string {
  return `<label class="account">
          <input type="radio" name="sub" value="${escapeHtml(sub)}"${index === 0 ? ' checked' : ''}>
          <span class="monogram" aria-hidden="true">${escapeHtml(name.slice(0, 1))}</span>
          <span><span class="name">${escapeHtml(name)}</span><br>${escapeHtml(email)}</span>
        </label>`;
}

/** `form` is oidc-provider's own hidden form, with its protection against forged requests. */
export function signOutPage(form: string, issuer: string): string {
  return page(
    'Sign out',
    `<h1>Sign out?</h1>
    <p class="lead">You have left <strong>Halyard</strong>. Sign out here too, and the next visit
      asks who you are again.</p>
    ${form}
    <div class="actions">
      <button class="primary" type="submit" form="op.logoutForm" name="logout" value="yes"
        autofocus>Sign out</button>
      <button type="submit" form="op.logoutForm">Stay signed in here</button>
    </div>`,
    issuer,
  );
}

export function signedOutPage(issuer: string): string {
  return page(
    'Signed out',
    '<h1>Signed out</h1><p class="lead">You may close this page.</p>',
    issuer,
  );
}

export function errorPage(text: string, issuer: string, shopUrl: string): string {
  return page(
    'That did not work',
    `<h1>That did not work</h1>
    <p class="lead">${escapeHtml(text)}</p>
    <p><a href="${escapeHtml(shopUrl)}">Go back to the shop</a> and begin again.</p>`,
    issuer,
  );
}

function page(title: string, content: string, issuer: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${title} · Harbor Office</title>
    <link rel="icon" href="/op-icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/op.css">
  </head>
  <body>
    <main>
      <p class="house"><img src="/op-icon.svg" alt="" width="28" height="28"> Harbor Office</p>
      ${content}
    </main>
    <footer>A local OpenID Provider for this example, at <code>${escapeHtml(issuer)}</code>.
      It stands where Auth0, PingOne or your own would.</footer>
  </body>
</html>
`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
