import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentProcess } from '../helpers/agent-process.ts';
import { Awaited } from '../helpers/awaited.ts';

const isRoot = process.getuid?.() === 0;

/** A policy_action line of an allowed connection, which nothing merges; `pad` makes it longer, by what cannot be packed. */
function line(number: number, pad = 0): string {
  return `${JSON.stringify({
    connection: {
      src_ip: '10.84.0.2',
      dest_ip: '10.84.0.3',
      src_port: 1024,
      dest_port: 80,
      protocol: 'tcp',
      direction: 'ingress',
    },
    disposition: 'allow',
    src: {
      pod_name: `pod-${number}`,
      namespace: 'default',
      note: randomBytes(pad).toString('base64').slice(0, pad),
    },
    dest: { instance: '10.84.0.3' },
    count: 1,
    node_name: 'node-1',
    timestamp: new Date(Date.UTC(2026, 10, 21) + number).toISOString(),
  })}\n`;
}

const lines = (from: number, to: number, pad = 0) =>
  Array.from({ length: to - from }, (_, index) => line(from + index, pad)).join('');

/** An HTTP server that answers 503 until it is told to take records; it keeps the numbers of the pods. */
class MoodyServer {
  readonly pods = new Awaited<number>();
  /** What was refused, as the records of each request. */
  readonly refused = new Awaited<number>();
  refuses = true;
  readonly #server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const records = Buffer.concat(chunks).toString().split('\n').filter(Boolean);
      if (this.refuses) {
        this.refused.push(records.length);
        return response.writeHead(503).end();
      }
      for (const record of records) this.pods.push(Number(JSON.parse(record).src.pod_name.slice(4)));
      response.writeHead(204).end();
    });
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

describe('what goes wrong on a node', () => {
  let dir: string;
  let log: string;
  let server: MoodyServer;
  let url: string;
  const agents: AgentProcess[] = [];

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'policy-log-agent-faults-'));
    log = join(dir, 'policy_action.log');
    server = new MoodyServer();
    url = await server.listen();
  });

  afterEach(async () => {
    for (const agent of agents.splice(0)) await agent.stop();
    server.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const config = (more: object = {}) => ({
    node: 'node-1',
    inputs: [{ type: 'file', format: 'policy_action', paths: [log], start: 'beginning' }],
    limit: { connections_per_second: 0 },
    state: { path: join(dir, 'state') },
    sinks: [{ name: 'server', type: 'http', url, retry: { backoff_min: '50ms', backoff_max: '200ms' } }],
    http: { listen: '127.0.0.1:0' },
    ...more,
  });

  const start = (more: object = {}) => {
    const agent = new AgentProcess(dir, config(more));
    agents.push(agent);
    return agent;
  };

  const all = (count: number) => Array.from({ length: count }, (_, index) => index);
  const arrived = async (count: number) => {
    await server.pods.until(`${count} records`, (pods) => new Set(pods).size >= count);
    return [...server.pods.items].sort((a, b) => a - b);
  };

  it('stops reading when the outbox is full, and goes on by itself once a sink takes records', async () => {
    const agent = start({ state: { path: join(dir, 'state'), size_max: '1MiB' } });
    await agent.ready();
    writeFileSync(log, lines(0, 3000, 500));
    appendFileSync(log, lines(3000, 12_000, 500));
    await agent.log.until('it says that the outbox is full', (log) =>
      log.some(({ msg }) => /outbox is full/.test(msg)),
    );
    appendFileSync(log, lines(12_000, 12_100));
    expect(await agent.metric('policy_log_agent_input_lag_bytes')).toBeGreaterThan(0);
    server.refuses = false;
    expect(await arrived(12_100)).toEqual(all(12_100));
    await agent.log.until('it says that reading goes on', (log) =>
      log.some(({ msg }) => /reading goes on/.test(msg)),
    );
  });

  it.runIf(isRoot)('survives a full disk: sinks go on, reading resumes by itself', async () => {
    const disk = join(dir, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk]);
    try {
      const ballast = join(disk, 'ballast');
      const agent = start({ state: { path: join(disk, 'state') } });
      await agent.ready();
      writeFileSync(log, lines(0, 100));
      await server.refused.until('the first records are committed', (refused) => refused.includes(100));
      // Everything that is free but for a little.
      const free = Number(execFileSync('df', ['--output=avail', '-B1', disk]).toString().split('\n')[1]);
      writeFileSync(ballast, Buffer.alloc(Math.max(0, free - 1_000_000)));
      appendFileSync(log, lines(100, 8000, 1200));
      await agent.log.until('it says that the disk is full', (log) =>
        log.some(({ msg }) => /state database takes nothing/.test(msg)),
      );
      server.refuses = false;
      await server.pods.until('what was committed is delivered', (pods) => pods.length >= 100);
      rmSync(ballast);
      expect(await arrived(8000)).toEqual(all(8000));
      agents.splice(0);
      expect((await agent.stop()).code).toBe(0);
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  });

  it('refuses a state that another agent has, and says so', async () => {
    await start().ready();
    const second = new AgentProcess(dir, config());
    expect((await second.exited()).code).toBe(75);
    expect(second.log.items.some(({ msg }) => /another agent/.test(msg))).toBe(true);
  });

  it('starts afresh from a corrupt state database, keeps it aside, and reads the retained files again', async () => {
    server.refuses = false;
    writeFileSync(log, lines(0, 50));
    const first = start();
    expect(await arrived(50)).toEqual(all(50));
    agents.splice(0);
    await first.stop();
    writeFileSync(
      join(dir, 'state', 'state.db'),
      'this is no database, it is far too long a sentence for one',
    );
    const second = start();
    await server.pods.until('the records again', (pods) => pods.length === 100);
    expect(await second.metric('policy_log_agent_outbox_corruptions_total')).toBe(1);
    expect(
      readdirSync(join(dir, 'state')).filter((name) => name.includes('.corrupt-')).length,
    ).toBeGreaterThan(0);
  });

  it('stops within its deadline although a sink never answers, and delivers after the next start', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    const asked = once(silent, 'request');
    writeFileSync(log, lines(0, 20));
    const [sink] = config().sinks;
    const first = start({ shutdown_timeout: '300ms', sinks: [{ ...sink, url: address }] });
    await asked;
    agents.splice(0);
    expect((await first.stop()).code).toBe(0);
    silent.closeAllConnections();
    silent.close();
    server.refuses = false;
    start();
    expect(await arrived(20)).toEqual(all(20));
  });

  it('says that it cannot vouch for delegated logging, and counts what it filters for that', async () => {
    writeFileSync(log, lines(0, 3));
    const agent = start({ select: { allow: { delegate: true } } });
    await agent.ready();
    expect(agent.log.items.some(({ msg }) => /select.allow.delegate needs/.test(msg))).toBe(true);
    expect(await agent.metric('policy_log_agent_filtered_lines_total', { reason: 'delegate' })).toBe(3);
  });

  it('delivers to one sink while another is down', async () => {
    const archive = { name: 'out', type: 'stdout' };
    const agent = start({ sinks: [...config().sinks, archive] });
    await agent.ready();
    for (let round = 0; round < 5; round++) {
      appendFileSync(log, lines(round * 10, round * 10 + 10));
      await agent.stdout.until(`round ${round}`, (records) => records.length === round * 10 + 10, 5000);
    }
    expect(await agent.metric('policy_log_agent_sink_backlog_records', { sink: 'server' })).toBe(50);
    expect(await agent.metric('policy_log_agent_sink_failures', { sink: 'server' })).toBeGreaterThan(0);
    server.refuses = false;
    expect(await arrived(50)).toEqual(all(50));
  });
});
