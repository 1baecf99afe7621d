import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { AGENT_PATH } from '../helpers/agent-child.ts';

const OURS =
  'Sep  5 08:00:00 n kernel: [15.044316] calico-packet: IN=cali2b86dc8ac81 OUT=eth0 MAC=ee:ee:ee:ee:ee:ee:8a:34:7c:01:25:5a:08:00 SRC=10.0.0.1 DST=10.0.0.2 LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID=9351 DF PROTO=TCP SPT=1 DPT=8443 WINDOW=64240 RES=0x00 SYN URGP=0 ';
const FOREIGN = 'Sep  5 08:00:00 n systemd[1]: Started.';

const parse = (...files: string[]) => spawn(process.execPath, [AGENT_PATH, 'parse', ...files]);

test('what comes from a pipe is written while the pipe stays open', async () => {
  const agent = parse();
  onTestFinished(() => void agent.kill());
  agent.stdin.write(`${OURS}\n${FOREIGN}\n`);
  const [written] = await once(agent.stdout, 'data');
  expect(JSON.parse(String(written)).connection.src_ip).toBe('10.0.0.1');
  agent.stdin.end();
  expect(await once(agent, 'close')).toEqual([0, null]);
});

test('what several files become is written whole, in order', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'policy-log-agent-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const paths = ['a', 'b', 'c'].map((name, i) => {
    const lines = Array.from(
      { length: 700 },
      (_, k) => `${FOREIGN}\n${OURS.replace('SPT=1 ', `SPT=${700 * i + k} `)}`,
    );
    writeFileSync(join(folder, name), `${lines.join('\n')}\n`);
    return join(folder, name);
  });
  const agent = parse(...paths);
  const [stdout] = await Promise.all([agent.stdout.toArray(), once(agent, 'close')]);
  const records = Buffer.concat(stdout).toString().trimEnd().split('\n');
  expect(records.map((record) => JSON.parse(record).connection.src_port)).toEqual(
    Array.from({ length: 2_100 }, (_, port) => port),
  );
});
