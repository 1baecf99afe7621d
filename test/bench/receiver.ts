import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * The HTTP server that the measured programs deliver to, in a process of its own (`fork`). It takes
 * newline-delimited JSON, or Elasticsearch's bulk requests, answers 200, and tells its parent: `{port}` when it
 * listens, `{marker}` when a record of MARKER_IP has come, and, asked with `'report'`, what came since it was last
 * asked.
 */
export interface Report {
  records: number;
  requests: number;
  /** From the time in the record to its arrival, in milliseconds, sorted. */
  latenciesMs: number[];
}

/** The source address of lines whose arrival is waited for. */
export const MARKER_IP = '192.0.2.77';

/** rsyslog calls it `time`; syslog-ng's `words` begin with it. */
const TIMESTAMP = /"(?:timestamp|time|words)":"(?:\\")?([^"]+)/;
const BULK_ACTION = '{"index":';
let report: Report = { records: 0, requests: 0, latenciesMs: [] };

/** @returns how many records there were */
function take(body: string, nowMs: number): number {
  let records = 0;
  report.requests++;
  for (const line of body.split('\n')) {
    if (line === '' || line.startsWith(BULK_ACTION)) continue;
    records++;
    const stamp = TIMESTAMP.exec(line)?.[1];
    if (stamp !== undefined) report.latenciesMs.push(nowMs - milliseconds(stamp));
    if (line.includes(`"${MARKER_IP}"`)) process.send!({ marker: nowMs });
  }
  report.records += records;
  return records;
}

/** An answer that says of each record that it is taken. */
function bulkAnswer(records: number): string {
  const items = Array.from({ length: records }, () => ({ index: { status: 201 } }));
  return JSON.stringify({ took: 1, errors: false, items });
}

/** Of an RFC 3339 stamp in UTC, with microseconds. */
function milliseconds(stamp: string): number {
  const fraction = /\.(\d+)/.exec(stamp)?.[1] ?? '';
  return Date.parse(`${stamp.slice(0, 19)}Z`) + Number(`0.${fraction || 0}`) * 1000;
}

if (process.send !== undefined) {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const nowMs = performance.timeOrigin + performance.now();
      const records = take(Buffer.concat(chunks).toString('utf8'), nowMs);
      response.end(request.url === '/_bulk' ? bulkAnswer(records) : undefined);
    });
  });
  server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));
  process.on('message', () => {
    report.latenciesMs.sort((a, b) => a - b);
    process.send!({ report });
    report = { records: 0, requests: 0, latenciesMs: [] };
  });
  process.on('disconnect', () => process.exit());
}
