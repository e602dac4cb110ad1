// The API behind the proxied routes: answers a kilobyte to whoever brings a bearer token and no cookie of others.
import { createServer } from 'node:http';

const body = JSON.stringify({
  rows: Array.from({ length: 20 }, (_, id) => ({ id, name: 'a row of the API', isDone: false })),
});

const server = createServer((req, res) => {
  const isAllowed = /^Bearer [\w-]{43,}$/.test(req.headers.authorization ?? '');
  const text = isAllowed ? body : '{}';
  res.writeHead(isAllowed ? 200 : 401, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  res.end(text);
});
server.keepAliveTimeout = 60_000;
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

process.on('message', ({ id }) => process.send({ id }));
process.on('disconnect', () => process.exit());
process.send({ ready: { url: `http://127.0.0.1:${server.address().port}` } });
