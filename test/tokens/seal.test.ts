import { describe, expect, it } from '@jest/globals';
import { createSealer } from '../../lib/tokens/seal.ts';

const secrets = [
  'the first secret, of more than 32 characters',
  'the second secret, also of enough',
];

describe('seal', () => {
  const sealer = createSealer(secrets);

  it('opens what it sealed', () => {
    expect(sealer.open(sealer.seal('täxt', 'purpose'), 'purpose')).toBe('täxt');
  });

  it('seals the same text differently each time, and never readable', () => {
    const sealed = sealer.seal('text', 'purpose');
    expect(sealed).not.toBe(sealer.seal('text', 'purpose'));
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('text');
  });

  it('does not open for another purpose', () => {
    expect(sealer.open(sealer.seal('text', 'one'), 'other')).toBeUndefined();
  });

  it('does not open when any byte was changed', () => {
    const sealed = Buffer.from(sealer.seal('text', 'purpose'), 'base64url');
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Buffer.from(sealed);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(sealer.open(changed.toString('base64url'), 'purpose')).toBeUndefined();
    }
  });

  it('does not open when it was cut, at any length', () => {
    const sealed = sealer.seal('text', 'purpose');
    for (let length = 0; length < sealed.length; length += 1) {
      expect(sealer.open(sealed.slice(0, length), 'purpose')).toBeUndefined();
    }
  });

  it('rotates secrets: the first seals, all open', () => {
    const before = createSealer(secrets.slice(1)).seal('text', 'purpose');
    expect(sealer.open(before, 'purpose')).toBe('text');
    expect(createSealer(secrets.slice(0, 1)).open(before, 'purpose')).toBeUndefined();
    expect(createSealer(secrets.slice(0, 1)).open(sealer.seal('text', 'p'), 'p')).toBe('text');
  });
});
