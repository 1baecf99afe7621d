import * as z from 'zod/mini';
import { count, duration } from './units.ts';

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

const eventsSchema = z.strictObject({
  enabled: z
    .prefault(z.boolean(), false)
    .check(
      z.describe(
        'Whether a pod of this node whose traffic was denied gets an Event that says so: at most one for the same peer and port in 10 minutes.',
      ),
    ),
  per_minute: z
    .prefault(count(1, 600), 10)
    .check(z.describe('Events that this node may write in a minute; further ones are not written.')),
});

/** How addresses get the names of pods, nodes and services: `enrich.kubernetes`. */
export const kubernetesSchema = z.strictObject({
  enabled: z
    .prefault(z.boolean(), false)
    .check(z.describe('Whether the Kubernetes API is asked who had an address.')),
  scope: z
    .prefault(z.enum(['node', 'cluster']), 'node')
    .check(
      z.describe(
        "Whose addresses have names: the pods of this node and the node, or all pods, nodes and services. The latter costs every agent the memory, and the API server the traffic, of the whole cluster's pods.",
      ),
    ),
  url: z
    .optional(z.url({ protocol: /^https?$/ }))
    .check(z.describe('The API server; default: the one of the cluster that the agent runs in.')),
  token_file: z
    .prefault(z.string().check(z.startsWith('/', 'an absolute path')), `${SERVICE_ACCOUNT}/token`)
    .check(z.describe('File with the token to ask with; read again with every request.')),
  ca_file: z
    .prefault(z.string().check(z.startsWith('/', 'an absolute path')), `${SERVICE_ACCOUNT}/ca.crt`)
    .check(z.describe("File with the authority of the API server's certificate; read again likewise.")),
  jitter: z
    .prefault(duration('0ms', '10m'), '5s')
    .check(
      z.describe(
        'Agents that start, or lose the API server, together come back at random within this time. One minute for 5,000 nodes.',
      ),
    ),
  sync_wait: z
    .prefault(duration('0ms', '10m'), '10s')
    .check(
      z.describe(
        'How long lines wait at the start for the first list, beyond `jitter`; then they pass without names.',
      ),
    ),
  keep_deleted: z
    .prefault(duration('0ms', '1d'), '10m')
    .check(z.describe('How long a pod that has gone is remembered, for lines that come late.')),
  stale_max: z
    .prefault(duration('1m', '7d'), '10m')
    .check(
      z.describe(
        'How long after the API server was last heard of addresses still get names. An interface tells its pod without end.',
      ),
    ),
  objects_max: z
    .prefault(count(1, 1_000_000), 150_000)
    .check(
      z.describe('Pods that are kept in memory, and as many that have gone; further ones have no names.'),
    ),
  workload: z
    .prefault(z.enum(['controller', 'top']), 'controller')
    .check(
      z.describe(
        'Which workload a pod is of: what controls it (ReplicaSet, Job), or what controls that in turn (Deployment, CronJob).',
      ),
    ),
  labels: z
    .prefault(z.array(z.string().check(z.minLength(1))).check(z.maxLength(20)), [])
    .check(z.describe('Labels of pods that records carry, as `labels` of a side.')),
  candidate_policies: z
    .prefault(z.boolean(), false)
    .check(
      z.describe(
        'Whether denied and unknown records name the NetworkPolicies that select the pod in that direction.',
      ),
    ),
  network_sets: z
    .prefault(z.enum(['none', 'crd.projectcalico.org/v1', 'projectcalico.org/v3']), 'none')
    .check(
      z.describe(
        "From which API group Calico's NetworkSets and GlobalNetworkSets give names to networks outside the cluster.",
      ),
    ),
  events: z.prefault(eventsSchema, {}).check(z.describe('Kubernetes Events about denied traffic.')),
});

export type KubernetesConfig = z.infer<typeof kubernetesSchema>;
