import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip, type Gzip } from 'node:zlib';
import { podJson } from '../helpers/pod-json.ts';

// `pod-server.ts PODS PODS_PER_NODE`: answers lists and watches as an API server with so many pods would, for what
// they cost who asks; prints its URL. Lists are compressed, as an API server compresses long ones. What a real one
// does besides is tried in test/real/identity.test.ts.

const [pods, perNode] = process.argv.slice(2).map(Number) as [number, number];
const GZIP_LEVEL = 1;

async function list(answer: Gzip, count: number): Promise<void> {
  answer.write('{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[');
  for (let number = 0; number < count; number++) {
    const isRoom = answer.write(`${number === 0 ? '' : ','}${podJson(number, perNode)}`);
    if (!isRoom) await new Promise((resolve) => answer.once('drain', resolve));
  }
  answer.end(']}');
}

const server = createServer((request, response) => {
  const url = new URL(request.url!, 'http://api');
  if (url.searchParams.has('watch')) {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    return;
  }
  response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
  const gzip = createGzip({ level: GZIP_LEVEL });
  gzip.pipe(response);
  const isPods = url.pathname === '/api/v1/pods';
  const count = !isPods ? 0 : url.searchParams.has('fieldSelector') ? Math.min(perNode, pods) : pods;
  void list(gzip, count);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address() as { port: number };
  process.stdout.write(`http://127.0.0.1:${address.port}\n`);
});
process.on('disconnect', () => process.exit());
await sleep(2 ** 31 - 1);
