import { globSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, it, test } from 'vitest';
import { recordSchema } from '../../parsers/record-schema.ts';

const ajv = new Ajv2020({ strict: true, allErrors: true, strictRequired: false });
addFormats.default(ajv);
const isRecord = ajv.compile(recordSchema);

const files = globSync('test/fixtures/**/*.expected.ndjson').sort();

test('there are goldens to validate', () => expect(files.length).toBeGreaterThan(1));

test.each(files)('every record of %s is valid', (file) => {
  const outcomes = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  for (const record of outcomes.filter((outcome) => 'id' in outcome)) {
    expect(isRecord(record), `${JSON.stringify(record)}: ${ajv.errorsText(isRecord.errors)}`).toBe(true);
  }
});

test('every property says what it is', () => {
  const undescribed: string[] = [];
  const visit = (schema: unknown, path: string) => {
    if (typeof schema !== 'object' || schema === null) return;
    for (const [key, value] of Object.entries(schema)) {
      if (key === 'properties') {
        for (const [name, property] of Object.entries(value as Record<string, { description?: string }>)) {
          if (!property.description) undescribed.push(`${path}.${name}`);
        }
      }
      visit(value, `${path}.${key}`);
    }
  };
  visit(recordSchema, '');
  expect(undescribed).toEqual([]);
});

const flow = {
  id: 'r1',
  connection: { src_ip: '10.0.0.1', src_port: 1, dest_ip: '2001:db8::1', dest_port: 443, protocol: 'tcp' },
  disposition: 'deny',
  src: {},
  dest: { instance: '2001:db8::1', zone: 'a' },
  count: 1,
  timestamp: '2026-11-21T10:00:00.1234567890Z',
  source: { input: 'i', format: 'syslog' },
};
const log = { id: 'r1', log_type: 'dns', message: 'm', source: { input: 'i', format: 'text' } };
const summary = {
  id: 'r1',
  log_type: 'summary',
  timestamp: '2026-11-21T10:00:00Z',
  last_timestamp: '2026-11-21T10:01:00Z',
  dropped: { rate_limit: { deny: 3 } },
  source: { input: 'agent', format: 'summary' },
};

describe('the schema', () => {
  it.each([
    ['a flow', flow],
    ['a flow with fields of its source', { ...flow, extra: [1] }],
    ['a flow without addresses', { ...flow, connection: { protocol: 'tcp' } }],
    ['a line of text', log],
    ['an object', { ...log, message: undefined, body: {}, source: { input: 'i', format: 'json' } }],
    ['a summary', summary],
  ])('takes %s', (_what, record) => {
    expect(isRecord(JSON.parse(JSON.stringify(record))), ajv.errorsText(isRecord.errors)).toBe(true);
  });

  it.each([
    ['an address with leading zeros', { ...flow, connection: { ...flow.connection, src_ip: '10.0.0.01' } }],
    ['a port beyond 65535', { ...flow, connection: { ...flow.connection, src_port: 65536 } }],
    ['a protocol in capitals', { ...flow, connection: { ...flow.connection, protocol: 'TCP' } }],
    ['another disposition', { ...flow, disposition: 'drop' }],
    ['a count of 0', { ...flow, count: 0 }],
    ['a time in another zone', { ...flow, timestamp: '2026-11-21T10:00:00+01:00' }],
    ['a null', { ...flow, src: { pod_name: null } }],
    ['a policy without name', { ...flow, policies: [{}] }],
    ['a flow without source', { ...flow, source: undefined }],
    ['a log with both message and body', { ...log, body: {} }],
    ['a log with other members', { ...log, level: 'info' }],
    ['a summary of other reasons', { ...summary, dropped: { full: { deny: 1 } } }],
    ['a summary without times', { ...summary, last_timestamp: undefined }],
  ])('refuses %s', (_what, record) => {
    expect(isRecord(JSON.parse(JSON.stringify(record)))).toBe(false);
  });
});
