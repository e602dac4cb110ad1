import { expect, it } from '@jest/globals';
import { BoundedMap } from '../lib/bounded-map.ts';

it('forgets the oldest entries, and takes one that is set anew for the youngest', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1).set('b', 2).set('a', 3).set('c', 4);
  expect([...map]).toEqual([
    ['a', 3],
    ['c', 4],
  ]);
});
