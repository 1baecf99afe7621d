type Fields = Record<string, unknown>;

export type AttributeValue = string | number | readonly string[];
export type Attributes = Map<string, AttributeValue>;

/** Workloads that semantic conventions have a name for. */
const WORKLOADS: Readonly<Record<string, string>> = {
  Deployment: 'k8s.deployment.name',
  ReplicaSet: 'k8s.replicaset.name',
  StatefulSet: 'k8s.statefulset.name',
  DaemonSet: 'k8s.daemonset.name',
  Job: 'k8s.job.name',
  CronJob: 'k8s.cronjob.name',
};

/** What packets do, seen from the pod that the policy guards. */
const DIRECTIONS: Readonly<Record<string, string>> = { ingress: 'receive', egress: 'transmit' };

/**
 * A record's fields under the names of OpenTelemetry's semantic conventions. Both ends have Kubernetes attributes
 * behind `source.` and `destination.`; without that, they are those of the pod that the policy guards: the destination
 * of ingress, the source of egress.
 * @param record as it is sent: what a shape has dropped is in no attribute
 */
export function attributesOf(record: Fields): Attributes {
  const attributes: Attributes = new Map();
  const put = (name: string, value: unknown) => {
    if (typeof value === 'string' ? value !== '' : typeof value === 'number') {
      attributes.set(name, value as AttributeValue);
    }
  };
  const connection = (record.connection ?? {}) as Fields;
  put('source.address', connection.src_ip);
  put('source.port', connection.src_port);
  put('destination.address', connection.dest_ip);
  put('destination.port', connection.dest_port);
  put('network.transport', connection.protocol);
  put('network.type', networkType(connection.src_ip ?? connection.dest_ip));
  put('network.io.direction', DIRECTIONS[connection.direction as string]);
  putEnd('source.', record.src, put);
  putEnd('destination.', record.dest, put);
  if (connection.direction === 'ingress') putEnd('', record.dest, put);
  if (connection.direction === 'egress') putEnd('', record.src, put);
  put('network_policy.disposition', record.disposition);
  put('network_policy.connections', record.count);
  const policies = policyNames(record.policies);
  if (policies.length > 0) attributes.set('network_policy.policies', policies);
  return attributes;
}

function putEnd(prefix: string, end: unknown, put: (name: string, value: unknown) => void): void {
  const fields = (end ?? {}) as Fields;
  put(`${prefix}k8s.pod.name`, fields.pod_name);
  put(`${prefix}k8s.namespace.name`, fields.namespace);
  const workload = WORKLOADS[fields.workload_kind as string];
  if (workload !== undefined) put(`${prefix}${workload}`, fields.workload_name);
  // The resource has the node of the agent; an end's own is said only with its prefix.
  if (prefix !== '') put(`${prefix}k8s.node.name`, fields.node_name);
}

function networkType(address: unknown): string | undefined {
  if (typeof address !== 'string') return undefined;
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/** `NAMESPACE/NAME`, or `NAME` of what has no namespace. */
function policyNames(policies: unknown): string[] {
  if (!Array.isArray(policies)) return [];
  return policies
    .map(({ name, namespace }: Fields) => (namespace === undefined ? `${name}` : `${namespace}/${name}`))
    .filter((name) => name !== '');
}
