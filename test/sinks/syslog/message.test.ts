import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { syslogSinkSchema } from '../../../agent/config/sinks/syslog.ts';
import { messageFormat } from '../../../sinks/syslog/message.ts';
import { flowRecord } from '../records.ts';

function format(options: Record<string, unknown>, record: object, json?: string): string {
  const parsed = z.parse(syslogSinkSchema, { type: 'syslog', name: 'siem', host: 'h', ...options });
  const value = () => record as Record<string, unknown>;
  const text = json ?? JSON.stringify(record);
  const originalJson = Buffer.from(JSON.stringify(record));
  return messageFormat(parsed)({ json: Buffer.from(text), value, originalJson, original: value }).toString();
}

const NONE = { structured_data: { fields: [] } };
const BARE = { id: 'a' };

test('a record, with all that has a default', () => {
  const record = { ...flowRecord(1), policies: [{ name: 'a' }, { name: 'b' }] };
  expect(format({}, record)).toBe(
    '<132>1 2026-09-21T14:13:20.001Z node-1 policy-log-agent - flow ' +
      '[policy@32473 id="r1" disposition="deny" count="1" connection.src_ip="10.0.0.1" ' +
      'connection.dest_ip="10.8.0.1" connection.dest_port="443" connection.protocol="tcp" ' +
      `src.namespace="shop ü" src.pod_name="web-1" policies.name="a,b"] ${JSON.stringify(record)}`,
  );
});

test.each([
  ['denied', { disposition: 'deny' }, '<132>'],
  ['allowed', { disposition: 'allow' }, '<134>'],
  ['unknown', { disposition: 'unknown' }, '<133>'],
  ['other', {}, '<134>'],
])('severity: %s', (_, fields, priority) => {
  expect(format(NONE, { ...BARE, ...fields })).toMatch(new RegExp(`^${priority}1 `));
});

test.each([
  ['facility and severity', { facility: 'auth', severity: { other: 'emergency' } }, {}, '<32>1 - - '],
  ['the first and the last', { facility: 'kern', severity: { other: 'emergency' } }, {}, '<0>1 '],
  ['local7.debug', { facility: 'local7', severity: { other: 'debug' } }, {}, '<191>1 '],
  [
    'a time of nine digits',
    {},
    { timestamp: '2026-09-05T14:34:40.123456789Z' },
    '2026-09-05T14:34:40.123456Z',
  ],
  ['names', { app_name: 'np', hostname: 'gateway' }, { log_type: 'audit' }, '- gateway np - audit -'],
  [
    'a name that is none',
    {},
    { node_name: 'a b\nü', log_type: 'x'.repeat(40) },
    `a_b__ policy-log-agent - ${'x'.repeat(32)} `,
  ],
])('%s', (_, options, fields, part) => {
  expect(format({ ...NONE, ...options }, { ...BARE, ...fields })).toContain(part);
});

test('values are escaped and cut, what is not there is left out', () => {
  const options = { structured_data: { id: 'x@1', fields: ['prefix', 'src.pod_name', 'packet'] } };
  expect(format(options, { prefix: 'a"b\\c]d\n=', packet: { ttl: 1 } }, '-')).toMatch(
    / \[x@1 prefix="a\\"b\\\\c\\\]d ="\] -$/,
  );
  expect(format(options, { prefix: ']'.repeat(300) }, '-')).toContain(`"${'\\]'.repeat(256)}"`);
  expect(format(options, {}, '-')).toMatch(/ - flow - -$/);
});

test.each([
  ['a space', 'src namespace'],
  ['an equals sign', 'a=b'],
  ['a bracket', 'a]'],
  ['a quote', 'a"'],
  ['33 characters', 'x'.repeat(33)],
])('a field with %s is no name of a parameter', (_, field) => {
  expect(() => format({ structured_data: { fields: [field] } }, {})).toThrow(/32 characters/);
});
