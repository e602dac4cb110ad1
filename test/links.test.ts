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
