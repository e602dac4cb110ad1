import { it } from '@jest/globals';
import { keepSecret } from '../support/output-watch.ts';

const secret = 'a secret that is in a table of tests';
keepSecret(secret);

it.each([secret])('has a name with a secret in it: %s', () => {});
