import { expect, it } from 'vitest';
import type { FlowLine } from '../../parsers/line.ts';
import { syslogFormat } from '../../parsers/syslog.ts';

const parser = syslogFormat({
  input: 'syslog',
  node: 'node-1',
  prefixes: ['calico-packet'],
  dispositions: [],
  workloadInterfaces: ['cali'],
  mergePair: 'none',
}).open();

/** The networks that are written for a packet between two addresses. */
function networks(src: string, dest: string, networkOf: (address: string) => string | undefined) {
  const line = Buffer.from(
    `2026-11-21T10:00:00.000001+00:00 n kernel: calico-packet: IN=cali1 OUT=eth0 MAC= SRC=${src} DST=${dest} LEN=28 TOS=0x00 PREC=0x00 TTL=63 ID=1 PROTO=UDP SPT=1 DPT=2 LEN=8`,
  );
  const flow = parser.parse(line, 0, line.length, Date.UTC(2026, 10, 21) * 1000) as FlowLine;
  const out = Buffer.alloc(4096);
  const end = flow.writeJson!('id', out, 0, enricherOf(networkOf));
  const record = JSON.parse(out.toString('utf8', 0, end));
  return [record.src.network, record.dest.network];
}

const enrichers = new Map<unknown, { enrich(): void; networkOf(address: string): string | undefined }>();
function enricherOf(networkOf: (address: string) => string | undefined) {
  const enricher = enrichers.get(networkOf) ?? { enrich: () => {}, networkOf };
  enrichers.set(networkOf, enricher);
  return enricher;
}

it('is that of the address, whatever was asked before', () => {
  const itself = (address: string) => `net of ${address}`;
  // Many more addresses than are remembered, so that they take each other's places.
  for (let i = 0; i < 20_000; i++) {
    const [src, dest] = [`10.${i & 255}.${i >> 8}.7`, `192.168.${i >> 8}.${i & 255}`];
    expect(networks(src, dest, itself)).toEqual([itself(src), itself(dest)]);
  }
});

it('is another one where the enricher is another one', () => {
  expect(networks('10.0.0.1', '8.8.8.8', () => 'one')).toEqual(['one', 'one']);
  expect(networks('10.0.0.1', '8.8.8.8', () => 'two')).toEqual(['two', 'two']);
  expect(networks('10.0.0.1', '8.8.8.8', () => undefined)).toEqual([undefined, undefined]);
});
