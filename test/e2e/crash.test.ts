import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { FlowRecord } from '../../parsers/record.ts';
import { AgentProcess } from '../helpers/agent-process.ts';
import { Random } from '../helpers/random.ts';
import { LumberjackWriter, SyslogWriter } from '../helpers/rotating-writer.ts';

const KILLS = 200;
/** Lines a second of each writer, and after how many its file is rotated. */
const LINES_PER_SECOND = 600;
const LINES_PER_FILE = 400;
const TICK_MS = 10;
/** More than are ever rotated: what is deleted unread is lost to any reader. */
const BACKUPS = 1000;
const DENIED_KEYS = 20;
const BOOTED_MS = Date.now() - 1_000_000;

/** A syslog line whose destination is its number. */
function syslogLine(number: number): string {
  const now = Date.now();
  const stamp = new Date(now).toISOString().replace('Z', '000+00:00');
  // No two alike: the number stands in the microseconds.
  const uptime = ((now - BOOTED_MS) / 1000 + (number % 1000) / 1e6).toFixed(6);
  const destination = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
  return `${stamp} node-1 kernel: [${uptime}] calico-packet: IN=cali0123456789a OUT=eth0 MAC= SRC=10.0.0.1 DST=${destination} LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID=${number & 65535} DF PROTO=UDP SPT=40000 DPT=53 LEN=40 `;
}

/** Every other line is an allowed connection whose source port and pod carry its number; the others retry a denial. */
function policyActionLine(number: number): string {
  const isAllowed = number % 2 === 0;
  return JSON.stringify({
    connection: {
      src_ip: '10.84.0.252',
      dest_ip: isAllowed ? '10.84.0.165' : `10.84.1.${number % DENIED_KEYS}`,
      src_port: 1024 + (number % 60_000),
      dest_port: 8080,
      protocol: 'tcp',
      direction: 'ingress',
    },
    disposition: isAllowed ? 'allow' : 'deny',
    src: { pod_name: `client-${number}`, namespace: 'default' },
    dest: { instance: '10.84.0.165' },
    count: 1,
    node_name: 'node-1',
    timestamp: new Date().toISOString(),
  });
}

describe('kill -9 at random instants while files rotate', () => {
  const dir = mkdtempSync(join(tmpdir(), 'policy-log-agent-crash-'));
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  const random = new Random(seed);
  let current: AgentProcess | undefined;
  let ticking: NodeJS.Timeout | undefined;
  // Also where the test was given up in the middle: nothing writes to the folder when it is removed.
  afterAll(async () => {
    clearInterval(ticking);
    await current?.kill();
    rmSync(dir, { recursive: true, force: true });
  });

  const start = () => {
    current = new AgentProcess(dir, {
      node: 'node-1',
      inputs: [
        {
          type: 'file',
          format: 'syslog',
          paths: [join(dir, 'syslog')],
          start: 'beginning',
          poll_interval: '20ms',
        },
        {
          type: 'file',
          format: 'policy_action',
          paths: [join(dir, 'policy_action.log*')],
          start: 'beginning',
          poll_interval: '20ms',
        },
      ],
      limit: { connections_per_second: 0 },
      aggregate: { dispositions: ['deny'], window: '1s', grace: '500ms' },
      state: { path: join(dir, 'state') },
      sinks: [
        {
          name: 'archive',
          type: 'file',
          path: join(dir, 'records.ndjson'),
          rotate: { size_max: '1MiB', files_max: 1000 },
        },
      ],
      http: { listen: '127.0.0.1:0' },
    });
    return current;
  };

  /** Every line of the sink's files; a torn one fails the parse. */
  const delivered = () =>
    readdirSync(dir)
      .filter((name) => name.startsWith('records.ndjson'))
      .flatMap((name) => readFileSync(join(dir, name), 'utf8').split('\n').filter(Boolean))
      .map((line) => JSON.parse(line) as FlowRecord);

  it(`loses nothing and repeats nothing over ${KILLS} of them`, async ({ signal }) => {
    const syslog = new SyslogWriter({ path: join(dir, 'syslog'), line: syslogLine, backups: BACKUPS });
    const policyAction = new LumberjackWriter({
      path: join(dir, 'policy_action.log'),
      line: policyActionLine,
      backups: BACKUPS,
    });
    let due = 0;
    ticking = setInterval(() => {
      due += (LINES_PER_SECOND * TICK_MS) / 1000;
      for (const writer of [syslog, policyAction]) {
        const before = writer.written;
        writer.write(Math.floor(due) - before);
        if (Math.floor(before / LINES_PER_FILE) !== Math.floor(writer.written / LINES_PER_FILE))
          writer.rotate();
      }
    }, TICK_MS);

    for (let kill = 0; kill < KILLS; kill++) {
      signal.throwIfAborted();
      const agent = start();
      // Some while they start, most well into their work.
      if (random.unit() < 0.8) await agent.ready();
      await delay(random.unit() * 250);
      await agent.kill();
    }
    clearInterval(ticking);
    syslog.close();
    signal.throwIfAborted();

    const last = start();
    // Not by the sink's files, which it writes and rotates meanwhile.
    const left = async () => {
      let sum = 0;
      // One after the other, as lines go through.
      for (const name of ['input_lag_bytes', 'open_windows', 'outbox_records'])
        sum += await last.metric(`policy_log_agent_${name}`);
      return sum;
    };
    for (const deadline = Date.now() + 60_000; (await left()) > 0 && Date.now() < deadline; )
      await delay(250);
    await last.stop();

    const records = delivered();
    const wanted = syslog.written + policyAction.written;
    const counted = records.reduce((sum, { count }) => sum + count, 0);
    const numbers = records.map((record) =>
      record.source.input === 'syslog'
        ? `syslog ${record.connection.dest_ip}`
        : record.disposition === 'allow'
          ? `allow ${record.src.pod_name}`
          : `deny ${record.id}`,
    );
    const denied = records.filter(({ disposition }) => disposition === 'deny');
    const figures = {
      seed,
      kills: KILLS,
      lines: wanted,
      records: records.length,
      denials: denied.reduce((sum, { count }) => sum + count, 0),
      lost: Math.max(0, wanted - counted),
      duplicated: numbers.length - new Set(numbers).size,
      repeatedIds: records.length - new Set(records.map(({ id }) => id)).size,
    };
    console.log(JSON.stringify(figures));
    expect(figures).toMatchObject({ lost: 0, duplicated: 0, repeatedIds: 0 });
    expect(counted).toBe(wanted);
    expect(figures.denials).toBe(Math.floor(policyAction.written / 2));
  });
});
