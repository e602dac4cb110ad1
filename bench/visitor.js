import { Agent, request } from 'node:http';
import { landingPath } from './apps/web.js';

const agent = new Agent({ keepAlive: true });

/**
 * A browser as far as logins need one: cookies by host and port, redirects, forms that send themselves. A form of
 * the OP takes no cookie along that says `SameSite=Lax` or `Strict`, unless the OP is on the application's site; one
 * that says nothing goes along, as it does for two minutes in Chromium, and always in Firefox.
 */
export class Visitor {
  /** @type {Map<string, Map<string, string>>} */
  #cookies = new Map();
  /** Paths of cookies, by host and name. */
  #paths = new Map();
  /** Cookies that stay behind where another site sends a form, by host and name. */
  #restricted = new Set();
  /** Lines of `Set-Cookie` of the last answer. */
  setCookies = [];
  /** Where the OP is, as browsers see it from the application. */
  #opSite;

  constructor({ opSite = 'cross-site' } = {}) {
    this.#opSite = opSite;
  }

  /** Cookies for a URL, a copy. @returns {Map<string, string>} */
  cookieMap(url) {
    return new Map(this.#cookies.get(new URL(url).host));
  }

  /** The `Cookie` header for a URL, or for a form of another site to it. */
  cookie(url, isForeignForm = false) {
    const { host, pathname } = new URL(url);
    const jar = this.#cookies.get(host) ?? new Map();
    return [...jar]
      .filter(([name]) => pathname.startsWith(this.#paths.get(host + name) ?? '/'))
      .filter(([name]) => !isForeignForm || !this.#restricted.has(host + name))
      .map(([name, value]) => `${name}=${value}`)
      .join('; ');
  }

  /** Signs in by a URL of the application, until this sends the visitor to the landing page. */
  async signIn(url, first = { method: 'GET' }) {
    const { origin } = new URL(url);
    let next = { ...first, url };
    for (let step = 0; step < 12; step += 1) {
      const answer = await this.send(next);
      const { location } = answer.headers;
      if (location !== undefined) {
        next = { method: 'GET', url: new URL(location, next.url).href };
        if (next.url === `${origin}${landingPath}`) return;
      } else if (answer.status === 200 && answer.text.startsWith('<form'))
        next = { ...formOf(answer.text), isForeignForm: this.#opSite === 'cross-site' };
      else
        throw new Error(
          `${next.method} ${next.url}: ${answer.status} ${answer.text.slice(0, 500)}`,
        );
    }
    throw new Error(`${url}: too many steps`);
  }

  /** @returns {Promise<{ status: number, headers: import('node:http').IncomingHttpHeaders, text: string }>} */
  send({ method, url, body, headers = {}, isForeignForm = false }) {
    const cookie = this.cookie(url, isForeignForm);
    const all = {
      accept: 'text/html',
      'sec-fetch-site': this.#opSite,
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
      ...(cookie === '' ? {} : { cookie }),
      ...(body === undefined
        ? {}
        : {
            'content-type': 'application/x-www-form-urlencoded',
            'content-length': Buffer.byteLength(body),
          }),
      ...headers,
    };
    const address = new URL(url);
    const target = {
      port: address.port,
      host: '127.0.0.1',
      path: address.pathname + address.search,
    };
    return new Promise((resolve, reject) => {
      const sent = request(
        { ...target, method, agent, headers: { host: address.host, ...all } },
        (res) => {
          this.#keep(address.host, res.headers['set-cookie'] ?? []);
          let text = '';
          res.setEncoding('utf8');
          res.on('data', (chunk) => {
            text += chunk;
          });
          res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, text }));
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }

  #keep(host, lines) {
    this.setCookies = lines;
    const jar = this.#cookies.get(host) ?? new Map();
    this.#cookies.set(host, jar);
    for (const line of lines) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      const isExpired = /max-age=0\b|expires=thu, 01 jan 1970/i.test(line);
      if (isExpired || value === '') jar.delete(name);
      else jar.set(name, value);
      if (/; *samesite=(lax|strict)/i.test(line)) this.#restricted.add(host + name);
      else this.#restricted.delete(host + name);
      this.#paths.set(host + name, /; *path=([^;]+)/i.exec(line)?.[1] ?? '/');
    }
  }
}

function formOf(html) {
  const url = /action="([^"]+)"/.exec(html)[1];
  const fields = [...html.matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [
    name,
    value,
  ]);
  return { method: 'POST', url, body: new URLSearchParams(fields).toString() };
}
