import type { PodObject } from '../../agent/kubernetes/pod-facts.ts';

/** A pod as an API server would have it. Times in seconds since the epoch. */
export interface PodIdea {
  name?: string;
  namespace?: string;
  uid?: string;
  node?: string;
  ips?: string[];
  hostNetwork?: boolean;
  /** When the sandbox's network was ready. */
  ready?: number;
  /** Its sandbox is not up: since `ready`. */
  isDown?: boolean;
  /** When a container started, of a cluster without that condition. */
  started?: number;
  finished?: number;
  phase?: string;
  /** When it was asked to end. */
  asked?: number;
  graceSeconds?: number;
  owner?: { kind: string; name: string };
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  hostIps?: string[];
}

let uids = 0;

export function apiTime(seconds: number): string {
  return new Date(Math.floor(seconds) * 1000).toISOString().replace('.000', '');
}

export function podObject(idea: PodIdea = {}): PodObject {
  const { name = 'web', namespace = 'shop', ips = [], graceSeconds = 30, asked } = idea;
  const state =
    idea.finished !== undefined
      ? {
          terminated: {
            startedAt: apiTime(idea.started ?? idea.ready ?? 0),
            finishedAt: apiTime(idea.finished),
          },
        }
      : idea.started === undefined
        ? undefined
        : { running: { startedAt: apiTime(idea.started) } };
  return {
    metadata: {
      name,
      namespace,
      uid: idea.uid ?? `uid-${++uids}`,
      labels: idea.labels ?? {},
      annotations: idea.annotations ?? {},
      ...(idea.owner && { ownerReferences: [{ ...idea.owner, apiVersion: 'apps/v1', controller: true }] }),
      ...(asked !== undefined && {
        deletionTimestamp: apiTime(asked + graceSeconds),
        deletionGracePeriodSeconds: graceSeconds,
      }),
    },
    spec: { nodeName: idea.node ?? 'here', ...(idea.hostNetwork && { hostNetwork: true }) },
    status: {
      phase: idea.phase ?? 'Running',
      podIPs: ips.map((ip) => ({ ip })),
      hostIPs: (idea.hostIps ?? []).map((ip) => ({ ip })),
      ...(idea.ready !== undefined && {
        conditions: [
          {
            type: 'PodReadyToStartContainers',
            status: idea.isDown || idea.phase === 'Succeeded' || idea.phase === 'Failed' ? 'False' : 'True',
            lastTransitionTime: apiTime(idea.ready),
          },
        ],
      }),
      ...(state && { containerStatuses: [{ state }] }),
    },
  };
}
