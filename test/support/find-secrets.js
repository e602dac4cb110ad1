/** As many characters of a secret's end are its name: of tokens that are signed, the beginning is known to all. */
const tail = 16;

/**
 * Which texts have a secret in them, without the secret.
 *
 * @param {Iterable<string>} texts
 * @param {Iterable<string>} secrets
 * @returns {string[]}
 */
export function findSecrets(texts, secrets) {
  const short = [];
  const tails = new Set();
  for (const secret of secrets) {
    // What a test has made of one letter, to be long.
    if (new Set(secret.slice(-tail)).size === 1 && secret.length > tail) continue;
    if (secret.length >= tail) tails.add(secret.slice(-tail));
    else if (secret !== '') short.push(secret);
  }
  return [...new Set(texts)]
    .filter((text) => short.some((secret) => text.includes(secret)) || hasTail(text, tails))
    .map((text) => withoutSecrets(text, short, tails).slice(0, 500));
}

/** Secrets are many and texts are few: so it is looked up what stands at each place. */
function hasTail(text, tails) {
  for (let at = 0; at <= text.length - tail; at += 1) {
    if (tails.has(text.slice(at, at + tail))) return true;
  }
  return false;
}

/** What stands before a tail, up to a space or a sign that begins a value, is the secret's beginning. */
function withoutSecrets(text, short, tails) {
  const known = [...short, ...tails].filter((part) => text.includes(part));
  const hidden = known.reduce((shown, part) => {
    const literal = part.replace(/[^\w]/g, '\\$&');
    return shown.replace(new RegExp(`[^\\s"'=:,]*${literal}`, 'g'), '(here)');
  }, text);
  return hidden.replace(/[\w-]{20,}/g, '…');
}
