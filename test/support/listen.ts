export * from '../../lib/testing/listen.ts';
