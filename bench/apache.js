import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { client, scope } from './apps/web.js';
import { freePort } from './child.js';

/** Where Debian's packages apache2 and libapache2-mod-auth-openidc are, if not installed. */
const root = process.env.BENCH_APACHE_ROOT ?? '';
const modules = `${root}/usr/lib/apache2/modules`;
const env = { ...process.env, LD_LIBRARY_PATH: `${root}/usr/lib/x86_64-linux-gnu` };

/** Whether there is an Apache with mod_auth_openidc to compare with. */
export function hasApache() {
  return existsSync(`${modules}/mod_auth_openidc.so`) && existsSync(`${root}/usr/sbin/apache2`);
}

export function apacheVersion() {
  const text = execFileSync(`${root}/usr/sbin/apache2`, ['-v'], { env, encoding: 'utf8' });
  return /Apache\/\S+/.exec(text)[0];
}

/** An Apache with mod_auth_openidc, in one process with threads. @returns {Promise<import('./child.js').Child>} */
export async function startApache(storeKind, { issuer, apiUrl, redisUrl, baseUrl }) {
  const folder = await mkdtemp(join(tmpdir(), 'bench-apache-'));
  const port = await freePort();
  const url = `http://localhost:${port}`;
  await mkdir(join(folder, 'htdocs'));
  // The page: a file as long as the applications' answer.
  await writeFile(join(folder, 'htdocs', 'page'), '{"sub":"user-000000001","hasToken":true}');
  const names = [
    ...['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'headers', 'env'],
    ...['proxy', 'proxy_http', 'mime', 'auth_openidc'],
  ];
  const configuration = `
ServerRoot ${folder}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${folder}/pid
TypesConfig /dev/null
ErrorLog ${folder}/error.log
LogLevel warn
DocumentRoot ${folder}/htdocs
${names.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`).join('\n')}
StartServers 1
ServerLimit 1
ThreadsPerChild 32
MaxRequestWorkers 32
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration
OIDCClientID ${client.id}
OIDCClientSecret ${client.secret}
OIDCRedirectURI ${baseUrl ?? url}/callback
OIDCCryptoPassphrase a-secret-for-benchmarks-which-seals-cookies
OIDCResponseType "code id_token"
OIDCResponseMode form_post
OIDCScope "${scope}"
OIDCRefreshAccessTokenBeforeExpiry 1
OIDCSSLValidateServer Off
${storeKind === 'redis' ? `OIDCCacheType redis\nOIDCRedisCacheServer ${new URL(redisUrl).host}` : 'OIDCCacheShmMax 20000\nOIDCCacheShmEntrySizeMax 33297'}
<Location />
  AuthType openid-connect
  Require valid-user
  RequestHeader set Authorization "expr=Bearer %{reqenv:OIDC_access_token}"
</Location>
<Location /page>
  ForceType application/json
</Location>
ProxyPass /api/ ${apiUrl}/api/
`;
  const file = join(folder, 'httpd.conf');
  await writeFile(file, configuration);
  if (process.getuid?.() === 0) execFileSync('chmod', ['-R', 'a+rX', folder]);
  const user = process.getuid?.() === 0 ? ['-c', 'User www-data', '-c', 'Group www-data'] : [];
  const server = spawn(`${root}/usr/sbin/apache2`, ['-f', file, ...user, '-D', 'FOREGROUND'], {
    env,
    stdio: ['ignore', 'ignore', process.env.BENCH_DEBUG ? 'inherit' : 'ignore'],
  });
  const kill = () => server.kill('SIGTERM');
  process.once('exit', kill);
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const isUp = await fetch(`http://127.0.0.1:${port}/page`, { redirect: 'manual' }).catch(
      () => undefined,
    );
    if (isUp) break;
    await delay(100);
  }
  return {
    ready: { url },
    pid: server.pid,
    ask: async (method) => (method === 'usage' ? usageOf(server.pid) : undefined),
    async stop() {
      kill();
      await once(server, 'exit');
      process.off('exit', kill);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Microseconds of processor time of a process and its children, threads included. */
async function usageOf(pid) {
  let total = 0;
  for (const process of [String(pid), ...(await childrenOf(pid))]) {
    const threads = await readdir(`/proc/${process}/task`).catch(() => []);
    for (const thread of threads) {
      const text = await readFile(`/proc/${process}/task/${thread}/schedstat`, 'utf8').catch(
        () => '0',
      );
      total += Number(text.split(' ')[0]) / 1000;
    }
  }
  return total;
}

async function childrenOf(pid) {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean);
}
