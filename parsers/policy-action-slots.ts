import { JsonFields } from './json-fields.ts';

/** The known members of a policy-action line, and where each stands among the spans of a scan. */
export const TOP = new JsonFields(0, {
  connection: 'object',
  disposition: 'string',
  policies: 'array',
  src: 'object',
  dest: 'object',
  count: 'number',
  node_name: 'string',
  timestamp: 'string',
  last_timestamp: 'string',
  packets: 'number',
  bytes: 'number',
  src_ports: 'array',
  prefix: 'string',
  packet: 'object',
  log_type: 'string',
  id: 'string',
  source: 'object',
});
const ENDPOINT = {
  pod_name: 'string',
  namespace: 'string',
  pod_namespace: 'string',
  workload_name: 'string',
  workload_kind: 'string',
  node_name: 'string',
  instance: 'string',
  network: 'string',
  resolved_by: 'string',
} as const;
export const CONNECTION_FIELDS = new JsonFields(TOP.names.length, {
  src_ip: 'string',
  dest_ip: 'string',
  src_port: 'number',
  dest_port: 'number',
  protocol: 'string',
  direction: 'string',
});
export const SRC_FIELDS = new JsonFields(CONNECTION_FIELDS.slot + CONNECTION_FIELDS.names.length, ENDPOINT);
export const DEST_FIELDS = new JsonFields(SRC_FIELDS.slot + SRC_FIELDS.names.length, ENDPOINT);
export const POLICY_FIELDS = new JsonFields(DEST_FIELDS.slot + DEST_FIELDS.names.length, {
  name: 'string',
  namespace: 'string',
  kind: 'string',
  tier: 'string',
  truncated: 'boolean',
});
export const SLOTS = POLICY_FIELDS.slot + POLICY_FIELDS.names.length;

/** Slots by name; those up to `TIMESTAMP` stand in the order of the record. */
export const CONNECTION = slot(TOP, 'connection');
export const DISPOSITION = slot(TOP, 'disposition');
export const POLICIES = slot(TOP, 'policies');
export const SRC = slot(TOP, 'src');
export const DEST = slot(TOP, 'dest');
export const COUNT = slot(TOP, 'count');
export const NODE_NAME = slot(TOP, 'node_name');
export const TIMESTAMP = slot(TOP, 'timestamp');
export const LAST_TIMESTAMP = slot(TOP, 'last_timestamp');
export const PACKETS = slot(TOP, 'packets');
export const BYTES = slot(TOP, 'bytes');
export const SRC_PORTS = slot(TOP, 'src_ports');
export const PACKET = slot(TOP, 'packet');
export const ID = slot(TOP, 'id');
export const SOURCE = slot(TOP, 'source');
export const SRC_IP = slot(CONNECTION_FIELDS, 'src_ip');
export const DEST_IP = slot(CONNECTION_FIELDS, 'dest_ip');
export const SRC_PORT = slot(CONNECTION_FIELDS, 'src_port');
export const DEST_PORT = slot(CONNECTION_FIELDS, 'dest_port');
export const PROTOCOL = slot(CONNECTION_FIELDS, 'protocol');
export const DIRECTION = slot(CONNECTION_FIELDS, 'direction');
/** First slots of the sides. The others are counted from them, the first `NAMES` are of names. */
export const SRC_SIDE = SRC_FIELDS.slot;
export const DEST_SIDE = DEST_FIELDS.slot;
export const NAMES = SRC_FIELDS.names.indexOf('node_name') + 1;
export const POD_NAME = SRC_FIELDS.names.indexOf('pod_name');
export const WORKLOAD_NAME = SRC_FIELDS.names.indexOf('workload_name');
export const SIDE_NODE_NAME = SRC_FIELDS.names.indexOf('node_name');
export const INSTANCE = SRC_FIELDS.names.indexOf('instance');
export const NETWORK = SRC_FIELDS.names.indexOf('network');
export const RESOLVED_BY = SRC_FIELDS.names.indexOf('resolved_by');
export const POLICY_NAME = slot(POLICY_FIELDS, 'name');

function slot(fields: JsonFields, name: string): number {
  return fields.slot + fields.names.indexOf(name);
}
