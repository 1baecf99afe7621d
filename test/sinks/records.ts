import type { RecordBlock } from '../../agent/outbox/types.ts';
import type { FlowRecord } from '../../parsers/record.ts';

/** A record as an input makes it. */
export function flowRecord(n: number): FlowRecord {
  return {
    id: `r${n}`,
    connection: {
      src_ip: `10.0.${(n >> 8) & 255}.${n & 255}`,
      src_port: 1024 + (n % 60_000),
      dest_ip: '10.8.0.1',
      dest_port: 443,
      protocol: 'tcp',
      direction: 'egress',
    },
    disposition: n % 3 === 0 ? 'allow' : 'deny',
    src: {
      pod_name: `web-${n % 50}`,
      namespace: 'shop ü',
      workload_name: 'web',
      workload_kind: 'Deployment',
    },
    dest: { instance: '10.8.0.1', network: 'private' },
    count: 1,
    node_name: 'node-1',
    timestamp: new Date(1_790_000_000_000 + n).toISOString(),
    source: { input: 'syslog', format: 'syslog' },
  };
}

export function flowBlock(first: number, count: number): RecordBlock {
  const lines = Array.from({ length: count }, (_, n) => `${JSON.stringify(flowRecord(first + n))}\n`);
  return { bytes: Buffer.from(lines.join('')), count };
}
