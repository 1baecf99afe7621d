import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FlowRecord } from '../../parsers/record.ts';
import { AgentProcess } from '../helpers/agent-process.ts';
import { KernelLab } from '../helpers/kernel-lab.ts';
import { RecordServer } from '../helpers/record-server.ts';
import { Rsyslog, type RsyslogTemplate } from '../helpers/rsyslog.ts';

const unavailable = KernelLab.unavailable();
if (unavailable !== undefined) console.warn(`lines of a real kernel: skipped, for ${unavailable}`);

const execute = promisify(execFile);
const TEMPLATES: RsyslogTemplate[] = ['RSYSLOG_FileFormat', 'RSYSLOG_TraditionalFileFormat'];
const SECOND_MS = 1000;

// The whole way: kernel → rsyslog → file → agent → HTTP. What arrives must say what was sent.
describe.skipIf(unavailable !== undefined).each(TEMPLATES)('lines of a real kernel, %s', (template) => {
  const dir = mkdtempSync(join(tmpdir(), 'policy-log-agent-e2e-'));
  const lab = new KernelLab();
  const server = new RecordServer();
  const rsyslog = new Rsyslog(dir, template, 'node-1');
  let agent: AgentProcess | undefined;

  beforeAll(async () => {
    lab.up();
    lab.logAndDrop('calico-packet: ');
    rsyslog.start();
    agent = new AgentProcess(dir, {
      node: 'node-1',
      inputs: [{ type: 'file', format: 'syslog', paths: [rsyslog.file] }],
      state: { path: join(dir, 'state') },
      sinks: [{ name: 'server', type: 'http', url: await server.listen(), compression: 'gzip' }],
      http: { listen: '127.0.0.1:0' },
    });
    await agent.ready();
  });

  afterAll(async () => {
    await agent?.stop();
    await rsyslog.stop();
    await server.close();
    lab.down();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Runs a command in the pod; that it fails is expected, for what it sends is dropped. */
  const inPod = (...argv: string[]) => {
    const [command, ...args] = [...lab.inPod(), ...argv];
    return execute(command!, args).catch(() => undefined);
  };

  /** The records of this lab that came so far; the kernel's ring may hold lines of another. */
  const ours = (records: readonly FlowRecord[], protocol: string, port?: number) =>
    records.filter(
      ({ connection }) =>
        [lab.podIp, lab.podIp6].includes(connection.src_ip ?? '') &&
        connection.protocol === protocol &&
        (port === undefined || connection.dest_port === port),
    );

  const arrived = async (protocol: string, port: number | undefined, records: number) =>
    ours(
      await server.records.until(
        `${records} ${protocol} records`,
        (all) => ours(all, protocol, port).length >= records,
      ),
      protocol,
      port,
    );

  it('says who retried a denied TCP connection, how often, and from which port first', async () => {
    const before = Date.now();
    // Three attempts within one window, each from a port of its own; a dropped SYN is sent again after 1 s.
    for (const port of [45001, 45002, 45003]) {
      const connect = `require('net').connect({host:'${lab.serverIp}',port:443,localPort:${port}});setTimeout(()=>process.exit(),300)`;
      await inPod(process.execPath, '-e', connect);
    }
    const [record, ...more] = await arrived('tcp', 443, 1);
    expect(more).toEqual([]);
    expect(record).toMatchObject({
      connection: {
        src_ip: lab.podIp,
        src_port: 45001,
        dest_ip: lab.serverIp,
        dest_port: 443,
        protocol: 'tcp',
        direction: 'egress',
      },
      disposition: 'unknown',
      count: 3,
      src_ports: [45001, 45002, 45003],
      node_name: 'node-1',
      prefix: 'calico-packet',
      packet: { in: lab.podInterface, out: 'eth0' },
      source: { format: 'syslog' },
    });
    const [first, last] = [Date.parse(record!.timestamp), Date.parse(record!.last_timestamp!)];
    expect(first).toBeGreaterThanOrEqual(before - SECOND_MS);
    expect(last).toBeLessThanOrEqual(Date.now() + SECOND_MS);
    expect(last - first).toBeGreaterThan(300);
  });

  it('counts UDP datagrams', async () => {
    const send = `const s=require('dgram').createSocket('udp4');s.bind(45010,()=>{let n=0;const t=setInterval(()=>{s.send('x',5353,'${lab.serverIp}');if(++n===4){clearInterval(t);setTimeout(()=>process.exit(),100)}},50)})`;
    await inPod(process.execPath, '-e', send);
    const [record] = await arrived('udp', 5353, 1);
    expect(record).toMatchObject({
      connection: { src_ip: lab.podIp, src_port: 45010, dest_ip: lab.serverIp, direction: 'egress' },
      count: 4,
      packets: 4,
    });
  });

  it('knows pings over IPv4 and IPv6, which have no ports', async () => {
    await inPod('ping', '-c', '2', '-i', '0.2', '-W', '1', lab.serverIp);
    await inPod('ping', '-6', '-c', '1', '-W', '1', lab.serverIp6);
    const [v4] = await arrived('icmp', undefined, 1);
    expect(v4!.connection).toEqual({
      src_ip: lab.podIp,
      dest_ip: lab.serverIp,
      protocol: 'icmp',
      direction: 'egress',
    });
    expect(v4!.count).toBe(2);
    const [v6] = await arrived('icmpv6', undefined, 1);
    expect(v6!.connection).toMatchObject({ src_ip: lab.podIp6, dest_ip: lab.serverIp6, protocol: 'icmpv6' });
  });

  it("loses nothing when rsyslog's file is rotated in the middle", async () => {
    const ports = Array.from({ length: 30 }, (_, index) => 10_000 + index);
    const send = (some: number[]) =>
      inPod(
        process.execPath,
        '-e',
        `const s=require('dgram').createSocket('udp4');const p=${JSON.stringify(some)};(function next(){const port=p.shift();if(!port)return setTimeout(()=>process.exit(),100);s.send('x',port,'${lab.serverIp}',()=>setTimeout(next,5))})()`,
      );
    await send(ports.slice(0, 10));
    rsyslog.rename(`${rsyslog.file}.1`);
    await send(ports.slice(10, 20)); // rsyslog still writes to the renamed file
    rsyslog.reopen();
    await send(ports.slice(20));
    const got = (all: readonly FlowRecord[]) =>
      ours(all, 'udp').filter(({ connection }) => connection.dest_port! >= 10_000);
    const records = got(await server.records.until('all 30 datagrams', (all) => got(all).length >= 30));
    expect(records.map(({ connection }) => connection.dest_port).toSorted()).toEqual(ports);
    expect(new Set(records.map(({ id }) => id)).size).toBe(30);
  });

  it('ends with 0 and accounts that close', async () => {
    const { code, accounts } = await agent!.stop();
    expect(code).toBe(0);
    expect(accounts!.records).toBeGreaterThan(30);
  });
});
