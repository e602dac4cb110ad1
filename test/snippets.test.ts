import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { runProgram } from './support/child-process.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What snippets take for granted, as their text around them does. */
const surroundings = `
import express from 'express';
import session from 'express-session';
import { RedisStore } from 'connect-redis';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { createClient } from 'redis';
import passport from 'passport';
import { type Auth0Options, auth0, type HybridFlow, type HybridFlowOptions, hybridFlow, type PingOneOptions, pingOne, pingOneLoginHintToken, type PingOneRequestClaims, redisLock, subscribe } from 'passport-oidc-hybrid';
declare const app: express.Express;

declare const SESSION_SECRET: string;
declare const options: HybridFlowOptions & { clientSecret: string };
declare const account: Auth0Options & { clientSecret: string };
declare const environment: PingOneOptions & { clientSecret: string };
export type Claims = PingOneRequestClaims;
declare const users: { findOrCreate(sub: string): Promise<{ id: string }> };
void [auth0, pingOne, pingOneLoginHintToken, account, environment, subscribe, express, session, createProxyMiddleware, passport, hybridFlow, app, users, SESSION_SECRET, options, redisLock, RedisStore, createClient];
`;

const declaresFlow = (snippet: string): string =>
  snippet.includes('const oidc') ? '' : 'declare const oidc: HybridFlow;\n';

const readSnippets = async (file: string): Promise<string[]> =>
  [...(await readFile(join(root, file), 'utf8')).matchAll(/```ts\n(.*?)```/gs)].map(
    ([, code = '']) => code,
  );

const readAllSnippets = async (): Promise<string[]> => {
  const pages = (await readdir(join(root, 'docs'), { recursive: true })).filter((name) =>
    name.endsWith('.md'),
  );
  const files = ['README.md', ...pages.map((name) => join('docs', name))];
  return (await Promise.all(files.map(readSnippets))).flat();
};

it('signs sessions in README and docs by another secret than seals tokens', async () => {
  const sessions = (await readAllSnippets()).flatMap(
    (snippet) => snippet.match(/\bsession\(\{[^}]*secret: [^}]*/g) ?? [],
  );
  expect(sessions.length).toBeGreaterThan(7);
  expect(sessions.filter((text) => text.includes('OIDC_SECRET'))).toEqual([]);
});

it('has in README and docs code that compiles under strict settings', async () => {
  const snippets = await readAllSnippets();
  expect(snippets.length).toBeGreaterThan(7);
  const folder = await mkdtemp(join(root, 'readme-'));
  try {
    for (const [index, snippet] of snippets.entries()) {
      const isWhole = snippet.startsWith('import ');
      await writeFile(
        join(folder, `snippet-${index}.ts`),
        isWhole ? snippet : `${surroundings}${declaresFlow(snippet)}${snippet}`,
      );
    }
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: '../tsconfig.json',
        compilerOptions: {
          paths: {
            'passport-oidc-hybrid': ['../lib/index.ts'],
            'passport-oidc-hybrid/testing': ['../lib/testing/index.ts'],
          },
          isolatedDeclarations: false,
          declaration: false,
          noUnusedLocals: false,
          noPropertyAccessFromIndexSignature: false,
        },
        include: ['*.ts'],
      }),
    );
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { stdout } = await runProgram(process.execPath, [tsc, '-p', folder]).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);
