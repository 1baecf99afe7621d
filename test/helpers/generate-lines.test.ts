import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  generateFile,
  type LineSource,
  MergedLines,
  NoiseLines,
  PacketLines,
  PolicyActionLines,
  START_US,
} from './generate-lines.ts';

const PACKET_LINE =
  /^\S+ worker-1 kernel: (?:\[\d+\.\d{6}\] )?calico-packet: IN=\S* OUT=\S* MAC=\S+ SRC=(\S+) DST=(\S+) LEN=\d+ .*PROTO=(TCP|UDP|ICMP|ICMPv6) (?:SPT=(\d+) DPT=(\d+) )?.* \n$/;

const folder = mkdtempSync(join(tmpdir(), 'generate-lines-'));
afterAll(() => rmSync(folder, { recursive: true }));

function take(source: LineSource, lines: number): { timeUs: number; line: string }[] {
  return Array.from({ length: lines }, () => ({ timeUs: source.nextUs, line: source.next() }));
}

function packetLines(seed = 7) {
  return new PacketLines({ seed, startUs: START_US, linesPerSecond: 500, conversations: 50 });
}

test('the same seed gives the same lines, another seed others', () => {
  expect(take(packetLines(), 2000)).toEqual(take(packetLines(), 2000));
  expect(take(packetLines(8), 20)).not.toEqual(take(packetLines(), 20));
});

test('sources give their lines in the order of time, at about the rate that was asked for', () => {
  const noise = new NoiseLines({ seed: 3, startUs: START_US, linesPerSecond: 500 });
  const lines = take(new MergedLines([packetLines(), noise]), 20_000);
  for (let n = 1; n < lines.length; n++)
    expect(lines[n]!.timeUs).toBeGreaterThanOrEqual(lines[n - 1]!.timeUs);
  const seconds = (lines.at(-1)!.timeUs - START_US) / 1e6;
  expect(20_000 / seconds).toBeGreaterThan(850);
  expect(20_000 / seconds).toBeLessThan(1150);
});

test('packet lines follow the grammar, and retries keep their source port', () => {
  const ports = new Map<string, number>();
  for (const { line } of take(packetLines(), 5000)) {
    const match = PACKET_LINE.exec(line);
    expect(match, line).not.toBeNull();
    const [, src, dest, protocol, port] = match!;
    if (protocol !== 'TCP') continue;
    const connection = `${src} ${dest} ${port}`;
    ports.set(connection, (ports.get(connection) ?? 0) + 1);
  }
  const sentAgain = [...ports.values()].filter((packets) => packets > 1).length;
  expect(sentAgain / ports.size).toBeGreaterThan(0.7);
});

test('the number of merged lines is what windows over the text of the lines give', () => {
  const source = packetLines();
  const windows = new Map<string, number>();
  let merged = 0;
  for (const { timeUs, line } of take(source, 20_000)) {
    const [, src, dest, protocol, , port] = PACKET_LINE.exec(line)!;
    const key = `${src} ${dest} ${protocol} ${port}`;
    const openedUs = windows.get(key);
    if (openedUs !== undefined && timeUs - openedUs < 5_000_000) merged++;
    else windows.set(key, timeUs);
  }
  expect(source.merged).toBe(merged);
});

test('stamps of both envelopes tell the time of the line', () => {
  const options = { seed: 1, startUs: START_US, linesPerSecond: 100, conversations: 5, uptime: false };
  for (const { timeUs, line } of take(new PacketLines({ ...options, envelope: 'rfc3339' }), 500)) {
    const stamp = line.slice(0, line.indexOf(' '));
    expect(stamp.slice(0, 23)).toBe(new Date(timeUs / 1000).toISOString().slice(0, 23));
    expect(Number(stamp.slice(20, 26))).toBe(timeUs % 1_000_000);
  }
  const [first] = take(new PacketLines({ ...options, envelope: 'traditional' }), 1);
  expect(first!.line).toMatch(/^Sep {2}5 08:00:00 worker-1 kernel: calico-packet: /);
});

test('policy action lines are JSON in the shape that GKE writes', () => {
  const source = new PolicyActionLines({ seed: 5, startUs: START_US, linesPerSecond: 100 });
  const seen = { allow: 0, deny: 0, probe: 0, node: 0 };
  for (const { timeUs, line } of take(source, 3000)) {
    const record = JSON.parse(line);
    expect(Math.floor(Date.parse(record.timestamp))).toBe(Math.floor(timeUs / 1000));
    expect(record.disposition === 'deny' || record.count === 1).toBe(true);
    expect(record.disposition === 'allow').toBe(record.policies !== undefined);
    if (record.src.node_name !== undefined) expect(record.src.workload_kind).toBe('Node');
    if (record.policies?.[0].name === '') seen.probe++;
    if (record.src.node_name ?? record.dest.node_name) seen.node++;
    seen[record.disposition as 'allow' | 'deny']++;
  }
  expect(seen.deny).toBeGreaterThan(300);
  for (const kind of ['allow', 'probe', 'node'] as const) expect(seen[kind]).toBeGreaterThan(100);
});

test.each(['dense', 'mixed', 'gke'] as const)('a %s file is what its description says', (kind) => {
  const file = generateFile(folder, kind, 300_000);
  const text = readFileSync(file.path, 'latin1');
  const lines = text.split('\n').slice(0, -1);
  expect(text.length).toBe(file.bytes);
  expect(lines.length).toBe(file.lines);
  if (kind !== 'gke')
    expect(lines.filter((line) => line.includes('calico-packet')).length).toBe(file.matching);
  expect(generateFile(folder, kind, 300_000)).toEqual(file);
});
