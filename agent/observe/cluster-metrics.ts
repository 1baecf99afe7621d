import { Counter, Gauge, type Registry } from 'prom-client';
import type { Cluster, Watched } from '../kubernetes/cluster.ts';
import { PREFIX } from './names.ts';

/** What is known of the cluster, how old it is, and what it cost; empty where the cluster is not asked. */
export function observeCluster(registry: Registry, cluster: () => Cluster | undefined): void {
  const registers = [registry];
  const watched = (name: string, help: string, value: (of: Watched) => number | undefined) =>
    new Gauge({
      name: PREFIX + name,
      help,
      labelNames: ['resource'],
      registers,
      collect() {
        this.reset();
        for (const one of cluster()?.watched ?? []) {
          const now = value(one);
          if (now !== undefined) this.set({ resource: one.resource }, now);
        }
      },
    });
  watched('kubernetes_synced', 'Whether the resource has been listed.', ({ isSynced }) => Number(isSynced));
  watched('kubernetes_objects', 'Objects that are known.', ({ objects }) => objects);
  watched('kubernetes_age_seconds', 'How long ago the API server was last heard of.', ({ contactMs }) =>
    contactMs === undefined ? undefined : Math.max(0, Date.now() - contactMs) / 1000,
  );

  const gauge = (name: string, help: string, value: (of: Cluster) => number) =>
    new Gauge({
      name: PREFIX + name,
      help,
      registers,
      collect() {
        const now = cluster();
        if (now === undefined) this.remove();
        else this.set(value(now));
      },
    });
  gauge('kubernetes_addresses', 'Addresses that are known.', ({ addresses }) => addresses.known);
  gauge(
    'kubernetes_ended_addresses',
    'Of those that ended, how many are remembered.',
    (of) => of.addresses.ended,
  );
  gauge('kubernetes_clock_skew_seconds', "Difference to the API server's clock.", (of) => of.skewSeconds);

  const counter = (name: string, help: string, value: (of: Cluster) => number | undefined) =>
    new Counter({
      name: PREFIX + name,
      help,
      registers,
      collect() {
        this.reset();
        const now = cluster();
        this.inc((now && value(now)) ?? 0);
      },
    });
  counter('kubernetes_requests_total', 'Requests to the API server.', ({ use }) => use.requests);
  counter('kubernetes_received_bytes_total', 'Bytes of its answers.', ({ use }) => use.bytes);
  counter(
    'kubernetes_refused_objects_total',
    'Objects beyond the bound, which have no names.',
    (of) => of.refused,
  );
  counter('kubernetes_events_total', 'Events written.', ({ events }) => events?.counts.written);
  counter(
    'kubernetes_dropped_events_total',
    'Events not written: too many, or refused.',
    ({ events }) => events?.counts.dropped,
  );
  new Counter({
    name: `${PREFIX}kubernetes_watch_restarts_total`,
    help: 'Lists and watches that did not go on, and why.',
    labelNames: ['resource', 'reason'],
    registers,
    collect() {
      this.reset();
      for (const { resource, restarts } of cluster()?.watched ?? [])
        for (const [reason, count] of restarts.entries()) this.inc({ resource, reason }, count);
    },
  });
  new Counter({
    name: `${PREFIX}unnamed_sides_total`,
    help: "Sides of records whose address is somebody's and that have no name, and why.",
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of cluster()?.unnamed.entries() ?? []) this.inc({ reason }, count);
    },
  });
}
