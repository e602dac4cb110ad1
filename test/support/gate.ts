export * from '../../lib/testing/gate.ts';
