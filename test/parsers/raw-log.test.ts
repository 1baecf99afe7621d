import { describe, expect, it } from 'vitest';
import type { LogLine, ParsedLine } from '../../parsers/line.ts';
import { rawLogFormat } from '../../parsers/raw-log.ts';

const NOW_US = 1_700_000_000_000_000;

function parse(format: 'json' | 'text', line: string | Buffer, node = 'n1'): ParsedLine {
  const bytes = Buffer.concat([Buffer.from('>'), Buffer.from(line), Buffer.from('<')]);
  const parser = rawLogFormat({ input: 'audit', node, logType: 'audit_kube', format }).open();
  return parser.parse(bytes, 1, bytes.length - 1, NOW_US);
}

function log(format: 'json' | 'text', line: string): LogLine {
  const parsed = parse(format, line);
  if (parsed.kind !== 'log') throw new Error(`not a log line: ${JSON.stringify(parsed)}`);
  return parsed;
}

describe('text', () => {
  it('becomes the message', () => {
    const line = log('text', 'bird: BGP session up ✓ ');
    expect(line.timeUs).toBe(NOW_US);
    expect(JSON.stringify(line.toRecord('r1'))).toBe(
      '{"id":"r1","log_type":"audit_kube","node_name":"n1","message":"bird: BGP session up ✓ ","source":{"input":"audit","format":"text"}}',
    );
  });

  it('that is empty is foreign', () => {
    expect(parse('text', '')).toEqual({ kind: 'foreign' });
  });
});

describe('JSON', () => {
  it('becomes the body, digit for digit', () => {
    const body =
      '{"kind":"Event","stageTimestamp":"2026-11-21T10:00:00.123456Z","n":12345678901234567890,"x":{"y":[null,1.50]}}';
    expect(JSON.stringify(log('json', body).toRecord('r1'))).toBe(
      `{"id":"r1","log_type":"audit_kube","timestamp":"2026-11-21T10:00:00.123456Z","node_name":"n1","body":${body},"source":{"input":"audit","format":"json"}}`,
    );
  });

  it.each([
    ['{"timestamp":"2026-11-21T12:00:00.5+02:00"}', '2026-11-21T10:00:00.5Z', 1795255200_500000],
    ['{"@timestamp":"2026-11-21T10:00:00Z"}', '2026-11-21T10:00:00Z', 1795255200_000000],
    ['{"time":1795255200}', '2026-11-21T10:00:00Z', 1795255200_000000],
    ['{"ts":1795255200.25}', '2026-11-21T10:00:00.25Z', 1795255200_250000],
    ['{"@timestamp":1795255200123}', '2026-11-21T10:00:00.123Z', 1795255200_123000],
    ['{"time":1795255200123456}', '2026-11-21T10:00:00.123456Z', 1795255200_123456],
    ['{"time":1795255200123456789}', '2026-11-21T10:00:00.123456789Z', 1795255200_123456],
    [
      '{"requestReceivedTimestamp":"2026-11-21T10:00:00.1Z","stageTimestamp":"2026-11-21T10:00:00.2Z"}',
      '2026-11-21T10:00:00.2Z',
      1795255200_200000,
    ],
    ['{"timestamp":"soon","ts":1795255200}', '2026-11-21T10:00:00Z', 1795255200_000000],
  ])('has the time of %s', (body, timestamp, timeUs) => {
    const line = log('json', body);
    expect(line.timeUs).toBe(timeUs);
    expect(line.toRecord('r1').timestamp).toBe(timestamp);
  });

  it.each([
    '{}',
    '{"time":"10:00"}',
    '{"time":17}',
    '{"time":-1795255200}',
    '{"time":null}',
    '{"time":{"s":1}}',
    '{"time":true}',
  ])('without a time, as %s, has none', (body) => {
    const line = log('json', body);
    expect(line.timeUs).toBe(NOW_US);
    expect(line.toRecord('r1')).not.toHaveProperty('timestamp');
  });

  it.each([
    ['{"a":1', 'truncated'],
    ['{"a":1}}', 'bad_json'],
    ['plain text', 'bad_json'],
    ['[1]', 'not_a_record'],
    ['null', 'not_a_record'],
    ['"text"', 'not_a_record'],
  ])('%s is refused as %s', (line, reason) => {
    expect(parse('json', line)).toEqual({ kind: 'unparsable', reason });
  });

  it('of a node without name has no node_name', () => {
    const parsed = parse('json', '{}', '');
    expect(parsed.kind === 'log' && parsed.toRecord('r1')).not.toHaveProperty('node_name');
  });
});
