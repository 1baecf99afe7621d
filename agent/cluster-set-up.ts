import { isDeepStrictEqual } from 'node:util';
import { systemClock } from './clock.ts';
import type { LoadedConfig } from './config/load.ts';
import type { Cluster, ClusterNeeds } from './kubernetes/cluster.ts';
import type { Logger } from './observe/log.ts';

/** The cluster as one configuration asks for it, at work. */
export interface ClusterAtWork {
  readonly needs: ClusterNeeds;
  readonly work: Cluster;
}

/**
 * Begins to ask the cluster what the configuration wants to know of it; goes on with `before` where that is the same.
 * Nothing of it is loaded where nothing is asked.
 */
export async function clusterOf(
  config: LoadedConfig,
  node: string,
  log: Logger,
  before?: ClusterAtWork,
): Promise<ClusterAtWork | undefined> {
  const needs: ClusterNeeds = {
    config: config.enrich.kubernetes,
    delegatesAllow: config.select.allow.delegate,
    delegatesDeny: config.select.deny.delegate,
  };
  if (before !== undefined && isDeepStrictEqual(before.needs, needs)) return before;
  await before?.work.stop();
  const url = needs.config.url ?? urlInCluster(process.env);
  if (!needs.config.enabled) return undefined;
  if (url === undefined) {
    log.error(
      'enrich.kubernetes is enabled, but this is no pod: give enrich.kubernetes.url; nobody gets a name',
    );
    return undefined;
  }
  const [{ ApiClient }, { Cluster }] = await Promise.all([
    import('./kubernetes/api-client.ts'),
    import('./kubernetes/cluster.ts'),
  ]);
  const { token_file: tokenFile, ca_file: caFile } = needs.config;
  const work = new Cluster(needs, {
    node,
    api: new ApiClient({ url, tokenFile, caFile }),
    clock: systemClock,
    monotonicUs: () => performance.now() * 1000,
    events: {
      failing: (resource, reason) =>
        log.warn(
          { resource, url, reason },
          'cannot read from the Kubernetes API; what is known stays in use',
        ),
      recovered: (resource) => log.info({ resource }, 'the Kubernetes API can be read again'),
    },
  });
  work.observeClock();
  work.start();
  return { needs, work };
}

/** Where the API server is, as the kubelet tells every pod. */
export function urlInCluster(env: NodeJS.ProcessEnv): string | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env;
  if (host === undefined) return undefined;
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
