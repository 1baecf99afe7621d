import type { Registry } from 'prom-client';
import type { Cluster, Watched } from '../kubernetes/cluster.ts';
import { atScrape } from './at-scrape.ts';

/** What is known of the cluster, how old it is, and what it cost; empty where the cluster is not asked. */
export function observeCluster(registry: Registry, cluster: () => Cluster | undefined): void {
  const scraped = atScrape(registry);
  const watched = (name: string, help: string, value: (of: Watched) => number | undefined) =>
    scraped.gauge(name, help, ['resource'], (report) => {
      for (const one of cluster()?.watched ?? []) report({ resource: one.resource }, value(one));
    });
  watched('kubernetes_synced', 'Whether the resource has been listed.', ({ isSynced }) => Number(isSynced));
  watched('kubernetes_objects', 'Objects that are known.', ({ objects }) => objects);
  watched('kubernetes_age_seconds', 'How long ago the API server was last heard of.', ({ contactMs }) =>
    contactMs === undefined ? undefined : Math.max(0, Date.now() - contactMs) / 1000,
  );

  type Value = (of: Cluster) => number | undefined;
  const now = (value: Value) => {
    const current = cluster();
    return current && value(current);
  };
  const gauge = (name: string, help: string, value: Value) =>
    scraped.gauge(name, help, [], (report) => report({}, now(value)));
  gauge('kubernetes_addresses', 'Addresses that are known.', ({ addresses }) => addresses.known);
  gauge(
    'kubernetes_ended_addresses',
    'Of those that ended, how many are remembered.',
    (of) => of.addresses.ended,
  );
  gauge('kubernetes_clock_skew_seconds', "Difference to the API server's clock.", (of) => of.skewSeconds);

  const counter = (name: string, help: string, value: Value) =>
    scraped.counter(name, help, [], (report) => report({}, now(value)));
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
  scraped.counter(
    'kubernetes_watch_restarts_total',
    'Lists and watches that did not go on, and why.',
    ['resource', 'reason'],
    (report) => {
      for (const { resource, restarts } of cluster()?.watched ?? [])
        for (const [reason, count] of restarts.entries()) report({ resource, reason }, count);
    },
  );
  scraped.counter(
    'unnamed_sides_total',
    "Sides of records whose address is somebody's and that have no name, and why.",
    ['reason'],
    (report) => {
      for (const [reason, count] of cluster()?.unnamed.entries() ?? []) report({ reason }, count);
    },
  );
}
