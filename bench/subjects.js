import { startApache } from './apache.js';
import { signIn as signInByAuthJs } from './apps/auth-js.js';
import { startChild } from './child.js';
import { get, sendAll } from './load.js';
import { Visitor } from './visitor.js';

/** Sessions that requests of one measurement take turns with. */
const sessionCount = 8;

/**
 * An application under measurement.
 *
 * @typedef {object} Subject
 * @property {string} app
 * @property {string} label
 * @property {'memory' | 'redis'} storeKind
 * @property {import('./child.js').Child} child
 * @property {string} url
 * @property {string[]} cookies of visitors that are signed in
 * @property {Visitor} visitor the last of them
 */

/** How each application is signed in to; most need the path of the login only. */
const signInPaths = { apache: '/', 'auth-js': signInByAuthJs };

/** Starts an application and signs visitors in. @returns {Promise<Subject>} */
export async function startSubject(
  app,
  storeKind,
  surroundings,
  { sessions = sessionCount, execArgv = [] } = {},
) {
  const setting = { app, storeKind, ...surroundings };
  const child =
    app === 'apache'
      ? await startApache(storeKind, surroundings)
      : await startChild('server.js', setting, execArgv);
  const { url } = child.ready;
  const subject = { app, storeKind, label: app, child, url, cookies: [], visitor: new Visitor() };
  if (app === 'minimum' || app === 'express-floor') return subject;
  for (let session = 0; session < sessions; session += 1) {
    subject.visitor = await signIn(subject);
    subject.cookies.push(subject.visitor.cookie(url));
  }
  return subject;
}

/** A login by a new visitor. */
export async function signIn({ app, url }) {
  const visitor = new Visitor({
    opSite: app === 'ours-same-site' ? 'same-site' : 'cross-site',
  });
  const how = signInPaths[app] ?? '/login';
  if (typeof how === 'function') await how(visitor, url);
  else await visitor.signIn(url + how);
  return visitor;
}

/** Microseconds of processor time for each request of a kind. */
export async function costOfRequests(subject, path, count) {
  const requests = subject.cookies.map((cookie) => get(subject.url, path, cookie));
  const check = ({ status, head }) => {
    if (status !== 200) throw new Error(`${subject.label} ${path}: ${status} ${head}`);
  };
  const before = await subject.child.ask('usage');
  await sendAll(subject.url, requests, count, { check });
  return ((await subject.child.ask('usage')) - before) / count;
}

/** Microseconds of processor time for each complete login. */
export async function costOfLogins(subject, count, together = 8) {
  const before = await subject.child.ask('usage');
  let begun = 0;
  const work = async () => {
    while (begun < count) {
      begun += 1;
      await signIn(subject);
    }
  };
  await Promise.all(Array.from({ length: together }, work));
  return ((await subject.child.ask('usage')) - before) / count;
}
