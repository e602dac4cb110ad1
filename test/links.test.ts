import { access, readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const root = fileURLToPath(new URL('..', import.meta.url));

/** All pages that people read. */
async function pages(): Promise<string[]> {
  const found: string[] = [];
  for (const folder of ['.', 'docs', 'example-app', 'bench', '.github']) {
    const names = await readdir(join(root, folder), {
      recursive: folder === 'docs' || folder === '.github',
    });
    found.push(
      ...names.filter((name) => name.endsWith('.md')).map((name) => join(root, folder, name)),
    );
  }
  return found;
}

/** What people fill in at the repository. */
async function forms(): Promise<string[]> {
  const folder = join(root, '.github', 'ISSUE_TEMPLATE');
  return (await readdir(folder)).map((name) => join(folder, name));
}

const rfcLink = /^https:\/\/www\.rfc-editor\.org\/rfc\/rfc(\d{4})(?:#section-(\d+(?:\.\d+)*))?$/;

/** Anchors of OpenID Connect Core 1.0, and the sections that they are at. */
const coreSections: Readonly<Record<string, string>> = {
  AuthRequest: '3.1.2.1',
  AuthError: '3.1.2.6',
  IDTokenValidation: '3.1.3.7',
  HybridAuthRequest: '3.3.2.1',
  HybridAuthResponse: '3.3.2.5',
  HybridIDToken: '3.3.2.11',
  HybridTokenEndpoint: '3.3.3',
  ThirdPartyInitiatedLogin: '4',
  UserInfo: '5.3',
  ClaimsParameter: '5.5',
  IndividualClaimsRequests: '5.5.1',
  ClientAuthentication: '9',
  Signing: '10.1',
  RotateSigKeys: '10.1.1',
  Encryption: '10.2',
  RefreshTokens: '12',
  SigningOrder: '16.14',
};

/** Without code, in which brackets mean something else. */
async function readProse(file: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  return text.replace(/```.*?```/gs, '').replace(/`[^`\n]*`/g, '`code`');
}

/** Names that a page can be linked to at, as GitHub makes them of headings. */
async function anchors(file: string): Promise<string[]> {
  const text = (await readFile(file, 'utf8')).replace(/```.*?```/gs, '');
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

describe('links in README and docs', () => {
  it('lead to files that are there, and to headings that are in them', async () => {
    const dead: string[] = [];
    let links = 0;
    for (const page of await pages()) {
      for (const [, target = ''] of (await readProse(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        links += 1;
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? page : join(dirname(page), path);
        const isThere =
          (await exists(file)) && (anchor === undefined || (await anchors(file)).includes(anchor));
        if (!isThere) dead.push(`${relative(root, page)}: ${target}`);
      }
    }
    expect(dead).toEqual([]);
    expect(links).toBeGreaterThan(60);
  });

  it('are of the kind that is looked at here: no HTML, no references', async () => {
    const odd: string[] = [];
    for (const page of await pages()) {
      const others = (await readProse(page)).match(/<(?:a|img)\b[^>]*>|^\[[^\]]+\]:.*$/gm) ?? [];
      odd.push(...others.map((text) => `${relative(root, page)}: ${text}`));
    }
    expect(odd).toEqual([]);
  });

  it('and names of files in the text are those of files', async () => {
    const dead: string[] = [];
    let names = 0;
    for (const page of [...(await pages()), ...(await forms())]) {
      const text = (await readFile(page, 'utf8')).replace(/```.*?```/gs, '');
      // In backquotes, and in forms as they are.
      for (const [name] of text.matchAll(
        /(?<=[` ])(?:lib|test|docs|example-app|scripts|bench|\.ci|\.github)\/[\w./-]*\w/g,
      )) {
        if (name === 'example-app/.env' || name.startsWith('example-app/dist/')) continue;
        names += 1;
        const isThere =
          (await exists(join(root, name))) || (await exists(join(root, `${name}.ts`)));
        if (!isThere) dead.push(`${relative(root, page)}: ${name}`);
      }
    }
    expect(dead).toEqual([]);
    expect(names).toBeGreaterThan(60);
  });

  it('and to specifications say in their text which section they lead to', async () => {
    const wrong: string[] = [];
    let links = 0;
    const sources = (await readdir(join(root, 'lib'), { recursive: true }))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(root, 'lib', name));
    for (const file of [...(await pages()), ...sources]) {
      const text = await readFile(file, 'utf8');
      const found = [
        ...[...text.matchAll(/\[([^\]]*)\]\((https:[^)\s]*)\)/g)].map(([, name, url]) => [
          url,
          name,
        ]),
        ...[...text.matchAll(/\{@link (https:\S+) ([^}]*)\}/g)].map(([, url, name]) => [url, name]),
      ];
      for (const [url = '', name = ''] of found) {
        const [, rfc, place] = rfcLink.exec(url) ?? [];
        const [, anchor] = /openid-connect-core-1_0\.html#(\w+)$/.exec(url) ?? [];
        if (rfc === undefined && anchor === undefined && !url.includes('rfc-editor.org')) continue;
        links += 1;
        const section = anchor === undefined ? place : (coreSections[anchor] ?? 'unknown');
        const named = /(?:RFC \d+|Core) (?:section )?(\d[\d., ]*)/.exec(name)?.[1]?.split(', ');
        const isRight =
          (rfc ?? anchor) !== undefined &&
          (/RFC (\d+)/.exec(name)?.[1] ?? rfc) === rfc &&
          (section === undefined || named === undefined || named.includes(section));
        if (!isRight) wrong.push(`${relative(root, file)}: ${name} ${url}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(links).toBeGreaterThan(40);
  });

  it('lead from the page of all pages to each of them', async () => {
    const index = await readFile(join(root, 'docs', 'README.md'), 'utf8');
    const names = (await readdir(join(root, 'docs'), { recursive: true })).filter((name) =>
      name.endsWith('.md'),
    );
    expect(names.filter((name) => name !== 'README.md' && !index.includes(`](${name})`))).toEqual(
      [],
    );
  });

  it('and names of tests in the threat model are those of tests', async () => {
    const text = await readFile(join(root, 'SECURITY.md'), 'utf8');
    const rows =
      text
        .split('## Threats')[1]
        ?.split('##')[0]
        ?.match(/^\|.*\|$/gm) ?? [];
    const names = rows.slice(2).flatMap(
      (row) =>
        row
          .split('|')
          .at(-2)
          ?.match(/`[^`]+`/g) ?? [],
    );
    expect(rows.length).toBeGreaterThan(12);
    const folder = 'test/conformance/attacks';
    const places = names.map((quoted) => {
      const name = quoted.slice(1, -1);
      if (name.startsWith('test/')) return name;
      return name.endsWith('.ts') ? `test/integration/${name}` : `${folder}/${name}.test.ts`;
    });
    const missing = [];
    for (const place of places) if (!(await exists(join(root, place)))) missing.push(place);
    expect(missing).toEqual([]);
  });

  it('leave README short', async () => {
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    expect(readme.split('\n').length).toBeLessThanOrEqual(250);
  });
});
