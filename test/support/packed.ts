import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from './child-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const modules = join(root, 'node_modules');

/** What `npm publish` would send. */
export interface Packed {
  /** Path of the tarball. */
  readonly tarball: string;
  /** Path of what it holds. */
  readonly content: string;
  readonly files: readonly { readonly path: string; readonly size: number }[];
  readonly tarballBytes: number;
  readonly manifest: {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly bin?: Readonly<Record<string, string>>;
  };
  /** An application that has installed it, and nothing else but what is named. */
  install(application: Application): Promise<string>;
  remove(): Promise<void>;
}

/** The files of an application, and the packages besides this one that it has. */
export interface Application {
  readonly files: Readonly<Record<string, string>>;
  /** By name, and where in this repository's `node_modules` they are. */
  readonly packages: Readonly<Record<string, string>>;
}

/** Runs `npm pack` on a copy of the project, as two that build in one folder break each other. */
export async function pack(): Promise<Packed> {
  const folder = await mkdtemp(join(tmpdir(), 'packed-'));
  const project = join(folder, 'project');
  const parts = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md'];
  const more = ['CONTRIBUTING.md', 'tsconfig.json', 'tsconfig.build.json', 'lib', 'docs', 'test'];
  for (const part of [...parts, ...more]) {
    await cp(join(root, part), join(project, part), { recursive: true });
  }
  await symlink(modules, join(project, 'node_modules'));
  const args = ['pack', '--json', '--pack-destination', folder];
  const { stdout } = await runProgram('npm', args, {
    cwd: project,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const json = stdout.slice(stdout.search(/^[[{]/m));
  const [{ filename, files, size }] = Object.values(JSON.parse(json)) as [PackReport];
  const tarball = join(folder, filename);
  await runProgram('tar', ['-xzf', tarball, '-C', folder]);
  const content = join(folder, 'package');
  const manifest = JSON.parse(await readFile(join(content, 'package.json'), 'utf8'));
  let applications = 0;
  return {
    tarball,
    content,
    files,
    tarballBytes: size,
    manifest,
    async install({ files, packages }) {
      applications += 1;
      const application = join(folder, `application-${applications}`);
      const installed = join(application, 'node_modules', manifest.name);
      await mkdir(dirname(installed), { recursive: true });
      await cp(content, installed, { recursive: true });
      const dependencies = Object.keys(manifest.dependencies).map((name) => [name, name]);
      for (const [name = '', at = ''] of [...dependencies, ...Object.entries(packages)]) {
        const place = join(application, 'node_modules', name);
        await mkdir(dirname(place), { recursive: true });
        await symlink(join(modules, at), place);
      }
      for (const [name, text] of Object.entries(files)) {
        await writeFile(join(application, name), text);
      }
      return application;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

interface PackReport {
  readonly filename: string;
  readonly files: { path: string; size: number }[];
  readonly size: number;
}
