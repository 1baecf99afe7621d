import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../agent/config/load.ts';
import { formatOf } from '../../agent/formats.ts';
import { Intake } from '../../agent/intake.ts';
import { RecordBuffer } from '../../agent/record-buffer.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/formats.md'), 'utf8');
const SINKS = 'sinks: [{name: out, type: stdout}]\n';
const NOW_MS = Date.UTC(2026, 10, 21, 12);

/** Each configuration, line and record that stand behind each other on the page. */
const EXAMPLES = [...PAGE.matchAll(/```yaml\n(.*?)```\s+```text\n(.*?)\n```\s+```json\n(.*?)```/gs)].map(
  ([, yaml, line, record]) => ({ yaml: yaml!, line: line!, record: JSON.parse(record!) }),
);

/** What the agent makes of one line, as it is deployed with this configuration. */
function recordOf(yaml: string, line: string): unknown {
  const loaded = parseConfig(yaml + SINKS, {});
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const { config } = loaded;
  const input = config.inputs[0]!;
  const format = formatOf(input, { config, node: 'node-1', timezone: 'UTC', bootTimeUs: undefined });
  const records = new RecordBuffer();
  const intake = new Intake(config, new Map([[input.name, format]]), records, { nodeName: 'node-1' });
  const bytes = Buffer.from(line);
  const file = { parser: format.open(), recordId: () => Buffer.from('id') };
  intake.lane(input.name, NOW_MS).line(file, bytes, 0, bytes.length, 0);
  intake.closeAll();
  return JSON.parse(Buffer.from(records.take()[0]!.bytes).toString());
}

describe('the examples of docs/formats.md', () => {
  it('are found', () => expect(EXAMPLES.length).toBeGreaterThan(8));
  it.each(EXAMPLES)('$yaml', ({ yaml, line, record }) => {
    expect(recordOf(yaml, line)).toMatchObject(record);
  });
});
