import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import type { ParsedLine } from '../../parsers/line.ts';
import { recordSchema } from '../../parsers/record-schema.ts';
import { syslogFormat } from '../../parsers/syslog.ts';
import { referenceMessage, referenceReading } from '../helpers/netfilter-reference.ts';

const FOLDER = join(import.meta.dirname, '../fixtures/lines');
/** `UPDATE_GOLDENS=1` writes what is read now; then every line of the difference is to be reviewed. */
const UPDATE = process.env.UPDATE_GOLDENS === '1';
const NOW_US = Date.UTC(2026, 10, 22) * 1000;

const ajv = new Ajv2020({ strict: false });
addFormats.default(ajv);
const isRecord = ajv.compile(recordSchema);

const goldens = readdirSync(FOLDER).filter((name) => name.endsWith('.log'));

function linesOf(file: string): string[] {
  return readFileSync(join(FOLDER, file), 'utf8').split('\n').slice(0, -1);
}

function openParser() {
  return syslogFormat({
    input: 'syslog',
    node: 'node-1',
    prefixes: [
      ...['calico-packet', 'calico-drop', 'calico-response-*', 'calico IN=x OUT=y IN='],
      ...['[UFW BLOCK]', 'DROP by policy *', 'Antrea:*'],
    ],
    prefixTemplate: 'calico-packet %t %k %p',
    dispositions: [{ prefix: 'calico-drop', disposition: 'deny' }],
    workloadInterfaces: ['cali', 'veth'],
    mergePair: 'empty_prefix',
    bootTimeUs: Date.UTC(2026, 10, 21, 10) * 1000,
  }).open();
}

/** One line of an expected file: the record, or what became of the line instead. */
function outcome(parsed: ParsedLine, number: number): unknown {
  switch (parsed.kind) {
    case 'flow':
      return parsed.toRecord(`line-${number}`);
    case 'repeated':
      return { repeated: parsed.line.toRecord(`line-${number}`) };
    case 'unparsable':
    case 'dropped':
      return { [parsed.kind]: parsed.reason };
    default:
      return { kind: parsed.kind };
  }
}

function parseAll(lines: readonly string[]): unknown[] {
  const parser = openParser();
  return lines.map((line, i) => {
    const bytes = Buffer.from(`${line}\n`);
    return outcome(parser.parse(bytes, 0, bytes.length - 1, NOW_US), i + 1);
  });
}

describe.each(goldens)('%s', (file) => {
  const expectedFile = join(FOLDER, file.replace('.log', '.expected.ndjson'));

  it('gives the expected record or outcome for each line', () => {
    const outcomes = parseAll(linesOf(file));
    if (UPDATE) writeFileSync(expectedFile, outcomes.map((one) => `${JSON.stringify(one)}\n`).join(''));
    const expected = readFileSync(expectedFile, 'utf8').split('\n').slice(0, -1);
    expect(outcomes.map((one) => JSON.stringify(one))).toEqual(expected);
  });

  it('gives records as the schema describes them', () => {
    for (const one of parseAll(linesOf(file)) as Record<string, unknown>[]) {
      const record = one.repeated ?? one;
      if (!('connection' in (record as object))) continue;
      expect(isRecord(record), JSON.stringify([isRecord.errors, record])).toBe(true);
    }
  });
});

describe.each(goldens.filter((file) => file.startsWith('kernel-')))('%s', (file) => {
  it('is read as the plain reading has it', () => {
    const lines = linesOf(file);
    const outcomes = parseAll(lines);
    let compared = 0;
    for (const [i, one] of outcomes.entries()) {
      const record = one as Record<string, unknown>;
      if (!('connection' in record)) continue;
      const reading = referenceReading(referenceMessage(lines[i]!))!;
      const { connection, packet, prefix } = record;
      expect({ connection, packet, prefix }, lines[i]).toEqual({
        connection: reading.connection,
        packet: reading.packet,
        prefix: reading.prefix,
      });
      compared++;
    }
    expect(compared).toBeGreaterThan(lines.length / 2);
  });
});
