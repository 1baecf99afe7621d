import { expect, it } from 'vitest';
import { mergeKeyOf } from '../../../agent/stages/merge-key.ts';
import type { FlowRecord } from '../../../parsers/record.ts';

const keyOf = mergeKeyOf(['src_ip', 'dest_ip', 'dest_port', 'protocol', 'direction']);

/** A record between two sides whose addresses were aggregated away. */
const between = (src: object, dest: object) =>
  keyOf({ connection: { protocol: 'tcp', dest_port: 80 }, disposition: 'deny', src, dest } as FlowRecord);

it('tells sides without address apart by their names', () => {
  const web = { namespace: 'shop', pod_name: 'web-*' };
  expect(between(web, web)).toBe(between({ ...web }, { ...web }));
  const others = [
    between(web, { namespace: 'shop', pod_name: 'db-*' }),
    between(web, { namespace: 'dev', pod_name: 'web-*' }),
    between(web, { network: 'public' }),
    between(web, { network: 'private' }),
    between({ network: 'public' }, web),
  ];
  expect(new Set([between(web, web), ...others]).size).toBe(others.length + 1);
});
