import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentProcess } from '../helpers/agent-process.ts';
import { Awaited } from '../helpers/awaited.ts';

/** Allowed and denied connections in turn, each from a port of its own. */
const LINES = Array.from({ length: 400 }, (_, number) =>
  JSON.stringify({
    connection: {
      src_ip: '10.84.0.2',
      dest_ip: `10.84.${number >> 8}.${number & 255}`,
      src_port: 1024 + number,
      dest_port: 80,
      protocol: 'tcp',
      direction: 'ingress',
    },
    disposition: number % 2 === 0 ? 'allow' : 'deny',
    src: { pod_name: `client-${number}`, pod_namespace: 'shop', namespace: number < 100 ? 'dev' : 'shop' },
    dest: { pod_name: 'server', namespace: 'shop' },
    count: 1,
    node_name: 'node-1',
    timestamp: new Date(Date.UTC(2026, 10, 21) + number).toISOString(),
  }),
).join('\n');

describe('what each sink gets', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'policy-log-agent-sinks-'));
    writeFileSync(join(dir, 'policy_action.log'), `${LINES}\n`);
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const config = (sinks: object[]) => ({
    inputs: [
      { type: 'file', format: 'policy_action', paths: [join(dir, 'policy_action.log')], start: 'beginning' },
    ],
    limit: { connections_per_second: 0 },
    aggregate: { dispositions: [] },
    state: { path: join(dir, 'state') },
    sinks,
    http: { listen: '127.0.0.1:0' },
  });

  it('by disposition, filters, sample and shape', async () => {
    const file = (name: string, more: object) => ({ name, type: 'file', path: join(dir, name), ...more });
    const agent = new AgentProcess(
      dir,
      config([
        file('denied', { only: { disposition: ['deny'] } }),
        file('not-dev', { exclude: [{ field: 'src.namespace', equals: 'dev' }] }),
        file('sampled', { sample: { allow: 10 } }),
        file('shaped', { shape: { drop: ['src.pod_namespace'], rename: { 'connection.src_ip': 'from' } } }),
      ]),
      ['--once'],
    );
    expect((await agent.exited()).code).toBe(0);
    const records = (name: string) =>
      readFileSync(join(dir, name), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    expect(records('denied').map(({ disposition }) => disposition)).toEqual(Array(200).fill('deny'));
    expect(records('not-dev')).toHaveLength(300);
    const allowed = records('sampled').filter(({ disposition }) => disposition === 'allow').length;
    expect(records('sampled').length - allowed).toBe(200);
    expect(allowed).toBeGreaterThan(5);
    expect(allowed).toBeLessThan(45);
    const [shaped] = records('shaped');
    expect(shaped).toMatchObject({ from: '10.84.0.2', src: { pod_name: 'client-0' } });
    expect(shaped.connection).not.toHaveProperty('src_ip');
    expect(shaped.src).not.toHaveProperty('pod_namespace');
  });

  it('what a destination refuses is kept as dead letters, and sent again on request', async () => {
    const pods = new Awaited<string>();
    let refusing = 'client-7"';
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        if (refusing !== '' && body.includes(refusing)) return response.writeHead(400).end('no such client');
        for (const line of body.trimEnd().split('\n')) pods.push(JSON.parse(line).src.pod_name);
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const start = () => new AgentProcess(dir, config([{ name: 'server', type: 'http', url }]));

    const first = start();
    await pods.until('all but one', (all) => all.length === 399);
    await first.stop();
    const letters = join(dir, 'state', 'dead-letters', 'server.ndjson');
    const [letter, ...more] = readFileSync(letters, 'utf8').trimEnd().split('\n');
    expect(more).toEqual([]);
    expect(JSON.parse(letter!)).toMatchObject({ sink: 'server', record: { src: { pod_name: 'client-7' } } });

    refusing = '';
    renameSync(letters, letters.replace('.ndjson', '.resend.ndjson'));
    const second = start();
    await pods.until('the last one', (all) => all.includes('client-7'));
    await second.log.until('it says so', (log) =>
      log.some(({ msg }) => /dead letters were sent again/.test(msg)),
    );
    await second.stop();
    expect(pods.items).toHaveLength(400);
    server.closeAllConnections();
    server.close();
  });
});
