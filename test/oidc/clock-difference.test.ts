import { describe, expect, it } from '@jest/globals';
import { secondsAhead } from '../../lib/oidc/clock-difference.ts';

const noon = Date.UTC(2026, 10, 21, 12);
const date = new Date(noon).toUTCString();

describe('secondsAhead()', () => {
  it.each<
    [what: string, headers: Record<string, string>, sentAt: number, now: number, is: unknown]
  >([
    ['clocks agree', { date }, noon, noon + 200, 0],
    ['clocks agree, and the answer takes long', { date }, noon - 8000, noon + 1000, 0],
    ['the date is cut off to whole seconds', { date }, noon + 900, noon + 950, 0],
    ['this clock is ahead', { date }, noon + 61_000, noon + 62_000, 60],
    ['this clock is behind', { date }, noon - 61_000, noon - 60_000, -60],
    ['it is ahead, and the answer takes long', { date }, noon + 61_000, noon + 70_000, 60],
    ['a cache has kept the answer', { date, age: '60' }, noon + 60_000, noon + 60_500, 0],
    ['a cache says nonsense', { date, age: 'long' }, noon, noon + 500, 0],
    ['there is no date', {}, noon, noon, undefined],
    ['the date is none', { date: 'yesterday' }, noon, noon, undefined],
  ])('where %s', (_what, headers, sentAt, now, is) => {
    expect(secondsAhead(new Headers(headers), sentAt, now)).toBe(is);
  });
});
