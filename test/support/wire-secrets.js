// Plain JavaScript without imports of ours: the environment of the tests loads it, and so does a process that a test starts.
import diagnostics from 'node:diagnostics_channel';

/** Parameters whose values are nobody's business, wherever they come. */
const parameters = [
  ...['access_token', 'refresh_token', 'id_token', 'id_token_hint', 'logout_token', 'token'],
  ...['client_secret', 'client_assertion', 'assertion', 'subject_token', 'actor_token'],
  ...['code', 'code_verifier', 'state', 'nonce', 'response', 'oidc_response', 'request_uri'],
].join('|');

/** Members of JSON: those that tokens come in, as `code` is that of an error. */
const members = ['access_token', 'refresh_token', 'id_token', 'client_secret', 'request_uri'].join(
  '|',
);

const patterns = [
  // In a URL or a form.
  new RegExp(`(?:^|[?&#])(?:${parameters})=([^&#\\s"'<>]+)`, 'gm'),
  // In JSON.
  new RegExp(`"(?:${members})"\\s*:\\s*"([^"]+)"`, 'g'),
  // In a page.
  new RegExp(`name="(?:${parameters})"[^<>]*value="([^"]+)"`, 'g'),
];

/** Secrets that are shorter are words that tests make up, and that any text may have. */
const shortest = 16;

/** How much of a body is looked at, in characters: tokens come first, and streams are long. */
const longestBody = 200_000;

/**
 * Tells of every secret, token, code and cookie that comes or goes by HTTP: all that servers of this process
 * send and receive, and the headers of what its clients do.
 *
 * @param {(secret: string) => void} tell
 * @returns {() => void} ends it
 */
export function watchWire(tell) {
  const search = (text) => {
    for (const pattern of patterns) {
      for (const [, value] of text.matchAll(pattern)) tellForms(value, tell);
    }
  };
  const readers = {
    'http.server.request.start': ({ request, response }) => {
      search(request.url);
      readHeaders(pairs(request.rawHeaders), search, tell);
      observe(request, ['push'], search);
      observe(response, ['write', 'end'], search);
    },
    'http.server.response.finish': ({ response }) => {
      readHeaders(lines(response._header), search, tell);
    },
    'http.client.response.finish': ({ request, response }) => {
      search(request.path);
      readHeaders(Object.entries(request.getHeaders()), search, tell);
      readHeaders(pairs(response.rawHeaders), search, tell);
    },
  };
  for (const [name, reader] of Object.entries(readers)) diagnostics.subscribe(name, reader);
  return () => {
    for (const [name, reader] of Object.entries(readers)) diagnostics.unsubscribe(name, reader);
  };
}

/** Looks at the chunks that methods are called with, each with those before it; they pass as they are. */
function observe(target, methods, search) {
  let body = '';
  for (const method of methods) {
    const original = target[method];
    const value = function (chunk, ...rest) {
      if (body.length < longestBody && (typeof chunk === 'string' || chunk instanceof Uint8Array)) {
        body += Buffer.from(chunk);
        search(body);
      }
      return original.call(this, chunk, ...rest);
    };
    Object.defineProperty(target, method, { value, configurable: true, writable: true });
  }
}

function readHeaders(headers, search, tell) {
  for (const [name, value] of headers) {
    const text = String(value);
    switch (name.toLowerCase()) {
      case 'authorization':
      case 'proxy-authorization':
        readCredentials(text, tell);
        break;
      case 'cookie':
        for (const pair of text.split('; ')) readCookie(pair, tell);
        break;
      case 'set-cookie':
        // What follows are its attributes.
        for (const one of [value].flat()) readCookie(one.split(';')[0], tell);
        break;
      case 'dpop':
        tellForms(text, tell);
        break;
      case 'location':
      case 'referer':
        search(text);
        break;
    }
  }
}

/** That of a session is its id, which no log should have, and a signature. */
function readCookie(pair, tell) {
  const value = pair.slice(pair.indexOf('=') + 1);
  tellForms(value, tell);
  const [, id] = /^s:([^.]*)\./.exec(decode(value)) ?? [];
  if (id !== undefined) tellForms(id, tell);
}

function readCredentials(text, tell) {
  const [scheme, value = ''] = text.split(' ');
  tellForms(value, tell);
  if (/^basic$/i.test(scheme)) {
    tellForms(Buffer.from(value, 'base64').toString().split(':').slice(1).join(':'), tell);
  }
}

/** As it comes, and as it is meant. */
function tellForms(value, tell) {
  for (const form of new Set([value, decode(value)])) if (form.length >= shortest) tell(form);
}

function decode(value) {
  try {
    return decodeURIComponent(value.replaceAll('+', ' '));
  } catch {
    return value;
  }
}

function pairs(rawHeaders) {
  return rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1]]] : [],
  );
}

function lines(head) {
  return (head ?? '').split('\r\n').map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}
