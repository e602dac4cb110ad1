import Sequencer from '@jest/test-sequencer';

/** Files that take longest, which Jest does not know of a fresh clone: it goes by the size of files. */
const long = [
  'properties/callback-fuzz.test.ts',
  'browser/chromium-https.test.ts',
  'browser/firefox-https.test.ts',
  'browser/chromium-http.test.ts',
  'browser/firefox-http.test.ts',
  'integration/soak.test.ts',
  'integration/processes.test.ts',
  'integration/logout-race.test.ts',
  'browser/own-pages.test.ts',
  'browser/example-pages.test.ts',
  'package/consumers.test.ts',
];

/** Begins with the long ones, so that in the end no worker is left alone with one of them. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => long.findIndex((name) => path.endsWith(`/test/${name}`));
    const others = tests.filter((test) => rank(test) < 0);
    const first = tests.filter((test) => rank(test) >= 0);
    return [...first.sort((a, b) => rank(a) - rank(b)), ...super.sort(others)];
  }
}
