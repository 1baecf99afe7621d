import { systemClock } from './clock.ts';
import { urlInCluster } from './cluster-set-up.ts';
import type { LoadedConfig } from './config/load.ts';
import type { Logger } from './observe/log.ts';

/** A configuration does not change more often. */
const PER_MINUTE = 60;

/**
 * Tells of a changed configuration that is refused by an Event of the pod that the agent runs in, as GKE does of its
 * NetworkLogging. The log and the metrics have said it before: what goes wrong here is logged, and changes nothing.
 * Nothing of it is loaded before the first refusal.
 *
 * @param config the one in force: whether it wants Events, and how the API server is asked
 * @param problems one text each, without secrets
 */
export async function writeRefusalEvent(
  config: LoadedConfig,
  problems: readonly string[],
  node: string,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const {
    url = urlInCluster(process.env),
    token_file: tokenFile,
    ca_file: caFile,
  } = config.enrich.kubernetes;
  const { POD_NAME: name, POD_NAMESPACE: namespace, POD_UID: uid } = process.env;
  if (url === undefined || name === undefined || namespace === undefined) {
    log.warn(
      'reload.events: cannot write an Event without the pod: give POD_NAME and POD_NAMESPACE, and outside of a cluster enrich.kubernetes.url',
    );
    return;
  }
  const [{ ApiClient }, { EventWriter }] = await Promise.all([
    import('./kubernetes/api-client.ts'),
    import('./kubernetes/event-writer.ts'),
  ]);
  const api = new ApiClient({ url, tokenFile, caFile });
  const writer = new EventWriter(api, node, PER_MINUTE, systemClock, signal);
  writer.emit({
    regarding: { apiVersion: 'v1', kind: 'Pod', name, namespace, uid },
    type: 'Warning',
    reason: 'InvalidConfiguration',
    message: `The changed configuration is refused; the old one stays in force: ${problems.join('; ')}`,
  });
  await writer.idle();
  api.close();
  if (writer.counts.written === 0) {
    log.warn({ url, namespace }, 'reload.events: the API server did not take an Event about it');
  }
}
