import type { Labels } from '../stages/holder.ts';

/** The address that Calico's plug-in has given a pod; it writes it at once, and empties it when it takes it back. */
const CALICO_ADDRESSES = 'cni.projectcalico.org/podIPs';
const CALICO_ADDRESS = 'cni.projectcalico.org/podIP';
/** Times in the API have whole seconds: what is stamped with one happened before the next. */
const SECOND_US = 1_000_000;

/** What of a Pod object is looked at. Everything may be missing. */
export interface PodObject {
  readonly metadata: ObjectMetadata;
  readonly spec?: { readonly nodeName?: string; readonly hostNetwork?: boolean };
  readonly status?: {
    readonly phase?: string;
    readonly startTime?: string;
    readonly podIP?: string;
    readonly podIPs?: readonly { readonly ip?: string }[];
    readonly hostIP?: string;
    readonly hostIPs?: readonly { readonly ip?: string }[];
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

export interface ObjectMetadata {
  readonly uid?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly ownerReferences?: readonly OwnerReference[];
}

export interface OwnerReference {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly name: string;
  readonly controller?: boolean;
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string;
}

interface ContainerStatus {
  readonly state?: {
    readonly running?: { readonly startedAt?: string };
    readonly terminated?: { readonly startedAt?: string; readonly finishedAt?: string };
  };
}

/** What a Pod object proves about its addresses and their times. */
export interface PodFacts {
  /** In canonical form; none for a pod on the host's network, or one whose sandbox is not up. */
  readonly addresses: readonly string[];
  /** From when on, at the latest, the pod had them, by its node's clock. Undefined where the object does not say. */
  readonly heldFromUs: number | undefined;
  /** It has given them back, or is about to: it is over. */
  readonly isOver: boolean;
  /** Until when, at least, it had them, if it is over and the object says so; by its node's clock. */
  readonly heldUntilUs: number | undefined;
  /** When it was asked to end, by the API server's clock. */
  readonly askedToEndUs: number | undefined;
}

/**
 * What a Pod object proves.
 *
 * A pod has its addresses from before its first container runs, and until after its last one has ended; the status
 * gives those times, and since Kubernetes 1.29 the time when the sandbox's network was found ready. Of several
 * starts the last one counts, for the sandbox, and with it the address, may have been made anew before.
 */
export function podFacts(
  { metadata, spec, status }: PodObject,
  canonical: (address: string) => string | undefined,
): PodFacts {
  const calico = metadata.annotations?.[CALICO_ADDRESSES] ?? metadata.annotations?.[CALICO_ADDRESS];
  const containers = status?.containerStatuses ?? [];
  const hasEnded = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  // A status keeps addresses that went with an old sandbox.
  const isDown = !calico && !hasEnded && networkReady(status)?.status === 'False';
  const areAllTerminated = containers.length > 0 && containers.every(({ state }) => state?.terminated);
  return {
    addresses: spec?.hostNetwork || isDown ? [] : addressesOf(status, calico, canonical),
    heldFromUs: heldFromUs(status, hasEnded),
    isOver: hasEnded || calico === '',
    heldUntilUs: hasEnded || areAllTerminated ? lastFinishUs(containers) : undefined,
    askedToEndUs: askedToEndUs(metadata),
  };
}

/** The addresses of the host that a pod runs on. */
export function hostAddresses({ status }: PodObject): string[] {
  const listed = (status?.hostIPs ?? []).flatMap(({ ip }) => ip ?? []);
  return listed.length > 0 ? listed : [status?.hostIP ?? []].flat();
}

/** Microseconds since the epoch; undefined for what is no time. */
export function timeUs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms * 1000;
}

/** The end of the second that a time of the API names. */
export function secondsEndUs(text: string | undefined): number | undefined {
  const us = timeUs(text);
  return us === undefined ? undefined : us + SECOND_US;
}

function addressesOf(
  status: PodObject['status'],
  calico: string | undefined,
  canonical: (address: string) => string | undefined,
): string[] {
  // Calico writes a prefix length, as 10.1.2.3/32, and knows better than a status that lags behind.
  const told = calico
    ? calico.split(',').map((network) => network.split('/')[0])
    : [...(status?.podIPs ?? []).map(({ ip }) => ip), status?.podIP];
  return [...new Set(told.flatMap((address) => (address ? (canonical(address) ?? []) : [])))];
}

function heldFromUs(status: PodObject['status'], hasEnded: boolean): number | undefined {
  const ready = networkReady(status);
  if (ready?.status === 'True') return secondsEndUs(ready.lastTransitionTime);
  return (
    lastStartUs(status?.containerStatuses, hasEnded) ?? lastStartUs(status?.initContainerStatuses, hasEnded)
  );
}

function networkReady(status: PodObject['status']): Condition | undefined {
  return status?.conditions?.find(({ type }) => type === 'PodReadyToStartContainers');
}

/** Of a pod that goes on only running containers count: another one may have run before the sandbox was made anew. */
function lastStartUs(containers: readonly ContainerStatus[] = [], hasEnded: boolean): number | undefined {
  const starts = containers.flatMap(
    ({ state }) =>
      secondsEndUs(state?.running?.startedAt ?? (hasEnded ? state?.terminated?.startedAt : undefined)) ?? [],
  );
  return starts.length === 0 ? undefined : Math.max(...starts);
}

function lastFinishUs(containers: readonly ContainerStatus[]): number | undefined {
  const ends = containers.flatMap(({ state }) => timeUs(state?.terminated?.finishedAt) ?? []);
  return ends.length === 0 ? undefined : Math.max(...ends);
}

function askedToEndUs(metadata: ObjectMetadata): number | undefined {
  const endUs = timeUs(metadata.deletionTimestamp);
  return endUs === undefined ? undefined : endUs - (metadata.deletionGracePeriodSeconds ?? 0) * SECOND_US;
}
