import { expect, test } from 'vitest';
import { parseConfig } from '../../../agent/config/load.ts';
import type { Claim } from '../../../agent/kubernetes/address-book.ts';
import { Pipeline, type PipelineSurroundings } from '../../../agent/pipeline.ts';
import type { Identity } from '../../../agent/stages/enrich.ts';
import type { Holder } from '../../../agent/stages/holder.ts';
import type { OpenWindow } from '../../../agent/stages/open-window.ts';
import type { FlowLine } from '../../../parsers/line.ts';
import type { FlowRecord } from '../../../parsers/record.ts';
import { syslogFormat } from '../../../parsers/syslog.ts';
import { windowJson } from '../../helpers/window-json.ts';

const NOON = Date.UTC(2026, 10, 21, 12);
const pod = (name: string): Holder => ({
  kind: 'pod',
  name,
  namespace: 'shop',
  workload: undefined,
  labels: undefined,
});
/** 10.0.0.1 is the old pod's until one second after noon, and the new pod's from two seconds after it. */
const claims: Claim[] = [
  { holder: pod('old'), address: '10.0.0.1', isLocal: true, fromUs: 0, untilUs: (NOON + 1000) * 1000 },
  {
    holder: pod('new'),
    address: '10.0.0.1',
    isLocal: true,
    fromUs: (NOON + 2000) * 1000,
    untilUs: Number.POSITIVE_INFINITY,
  },
];
const identity: Identity = {
  who: (address, _, timeUs) => {
    const claim = claims.find(
      (one) => one.address === address && one.fromUs <= timeUs && timeUs <= one.untilUs,
    );
    return claim && { holder: claim.holder, by: 'ip', claim };
  },
  networkSets: undefined,
  candidates: undefined,
};

/** A pipeline with that identity, and what comes of lines about 10.0.0.1 at these times after noon, in ms. */
class Lab {
  readonly records: FlowRecord[] = [];
  readonly pipeline: Pipeline;
  readonly #parser = syslogFormat({
    input: 'syslog',
    node: 'node-1',
    prefixes: ['calico-packet'],
    dispositions: [{ prefix: 'calico-packet', disposition: 'deny' }],
    workloadInterfaces: ['cali'],
    mergePair: 'none',
  }).open();
  #ids = 0;

  constructor(aggregate: string, surroundings: PipelineSurroundings = {}) {
    const text = `{inputs: [{type: file, format: syslog, paths: [/x]}], sinks: [{name: a, type: stdout}], aggregate: ${aggregate}}`;
    const loaded = parseConfig(text, {});
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const record = (json: string) => this.records.push(JSON.parse(json));
    const window = (closed: OpenWindow) => record(windowJson(closed));
    const out = { record, window, line: () => expect.fail('a line was passed unseen'), summary: () => {} };
    this.pipeline = new Pipeline(loaded.config, out, { identity, ...surroundings });
  }

  lines(...afterMs: number[]): this {
    for (const after of afterMs) {
      const line = Buffer.from(
        `${new Date(NOON + after).toISOString()} n kernel: calico-packet: IN=eth0 OUT=cali1 MAC= SRC=9.9.9.9 DST=10.0.0.1 LEN=28 TOS=0x00 PREC=0x00 TTL=63 ID=1 PROTO=UDP SPT=1 DPT=2 LEN=8`,
      );
      const flow = this.#parser.parse(line, 0, line.length, NOON * 1000) as FlowLine;
      this.pipeline.input('syslog').process(flow, () => Buffer.from(`id-${++this.#ids}`));
    }
    return this;
  }

  closed(): string[] {
    this.pipeline.closeAll();
    return this.records.map(({ dest, count }) => `${dest.pod_name ?? dest.instance} ${count}`);
  }
}

test('a window takes no line at whose time the address was no longer the pod that it names', () => {
  expect(new Lab('{}').lines(0, 500, 1000, 1500, 2000, 2500).closed()).toEqual([
    'old 3',
    // It was nobody's, as far as is known, and what says nobody stands for anybody.
    '10.0.0.1 3',
  ]);
  expect(new Lab('{}').lines(0, 500, 2000, 2500, 900).closed()).toEqual(['old 2', 'new 2', 'old 1']);
});

test('so it is with names alone', () => {
  expect(new Lab('{level: pod}').lines(0, 2000, 500, 2500).closed()).toEqual(['old 2', 'new 2']);
});

test('a window that another process opened under a name that an address gave takes no more lines', () => {
  const before = new Lab('{}').lines(0, 500);
  const { put } = before.pipeline.takeChanges();
  const after = new Lab('{}');
  after.pipeline.restore(put, new Map(before.pipeline.save()));
  expect(after.lines(600, 700).closed()).toEqual(['old 2', 'old 2']);
});

test('who asks is told of every denial that makes a record, once, with its names', () => {
  const told: string[] = [];
  const denied = ({ dest }: FlowRecord) => told.push(`${dest.pod_name}`);
  new Lab('{}', { denied }).lines(0, 100, 200, 2500);
  new Lab('{dispositions: []}', { denied }).lines(0, 2500);
  expect(told).toEqual(['old', 'new', 'old', 'new']);
});
