import { DISPOSITIONS } from './record.ts';

/** A JSON Schema, as far as it is used here. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

const string = (description: string) => ({ type: 'string', description });
const time = (description: string) => ({ type: 'string', format: 'date-time', pattern: 'Z$', description });
const count = (description: string, minimum = 0) => ({ type: 'integer', minimum, description });
const port = (description: string) => ({ type: 'integer', minimum: 0, maximum: 65535, description });
const address = (description: string) => ({
  anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }],
  type: 'string',
  description,
});

const id = string('The same whenever the same lines are read again; for deduplication.');
const nodeName = string('The node that the record is about.');
const disposition = {
  enum: DISPOSITIONS,
  description: 'The verdict; `unknown` where the source gives none, as a Calico `Log` rule does not.',
};

const connection = {
  type: 'object',
  description: "The connection, in the terms of its first packet's direction.",
  required: ['protocol'],
  properties: {
    src_ip: address('Address that opened it, in canonical text form (RFC 5952 for IPv6).'),
    src_port: port('Source port; absent where the protocol has none or it was aggregated away.'),
    dest_ip: address('Address that it was opened to, in canonical text form.'),
    dest_port: port('Destination port; absent where the protocol has none.'),
    protocol: {
      type: 'string',
      pattern: '^[^A-Z]+$',
      description: "The protocol's name in lower case (`tcp`, `icmpv6`, …), or its number as text.",
    },
    direction: {
      enum: ['ingress', 'egress'],
      description: 'As seen from the pod whose policy it met; absent where that cannot be known.',
    },
  },
};

const endpoint = (description: string) => ({
  type: 'object',
  description,
  properties: {
    pod_name: string("The pod; ends in `*` where a flow log gives a group's common beginning."),
    namespace: string("The pod's namespace."),
    pod_namespace: string('Deprecated; the same value as `namespace`.'),
    workload_name: string('What owns the pod.'),
    workload_kind: string('`ReplicaSet`, `DaemonSet`, …; `Node` for a node, `Service` for a service.'),
    instance: string('The address of what is neither a pod nor a node.'),
    network: string('With `instance`: `private`, `public`, or the name of a network set.'),
    node_name: string('The node that this side is.'),
    labels: {
      anyOf: [
        { type: 'object', additionalProperties: { type: 'string' } },
        { type: 'array', items: { type: 'string' } },
      ],
      description:
        "Those of the pod's labels that are asked for; a list of `KEY=VALUE` where a flow log has them.",
    },
    resolved_by: {
      enum: ['interface', 'ip', 'upstream'],
      description: "How the names were found: by the packet's interface, by address, or given by the source.",
    },
  },
});

const policy = {
  type: 'object',
  required: ['name'],
  properties: {
    name: string("The policy's name; empty for probes, which every policy lets through."),
    namespace: string("The policy's namespace; absent for policies of the whole cluster."),
    kind: string('What kind of policy, in the words of the source.'),
    tier: string("The policy's tier."),
    truncated: {
      type: 'boolean',
      description: 'The name is only its beginning, for the log prefix was cut.',
    },
  },
};

const interfaceName = string('Name of a network interface.');

const flow = {
  type: 'object',
  description: 'One connection, or the retries of one denied connection in one window.',
  required: ['id', 'connection', 'disposition', 'src', 'dest', 'count', 'timestamp', 'source'],
  properties: {
    id,
    connection,
    disposition,
    policies: {
      type: 'array',
      items: policy,
      description: 'Policies that decided or logged; GKE gives none for what was denied.',
    },
    candidate_policies: {
      type: 'array',
      items: policy,
      description: 'Policies that select the pod in that direction: what may have denied, not what did.',
    },
    src: endpoint('Who opened the connection.'),
    dest: endpoint('Whom it was opened to.'),
    count: count('Connections that the record stands for.', 1),
    node_name: nodeName,
    timestamp: time('When the first of them was seen, with all digits that the source has.'),
    last_timestamp: time('When the last of them was seen.'),
    packets: count('Packets that the record stands for.'),
    bytes: count('Bytes of those packets.'),
    src_ports: {
      type: 'array',
      items: port('A source port.'),
      description: "A bounded sample of the merged connections' source ports, first seen first.",
    },
    prefix: string('The log prefix.'),
    packet: {
      type: 'object',
      description: 'What the kernel said of the packet beyond the connection.',
      properties: { in: interfaceName, out: interfaceName, physin: interfaceName, physout: interfaceName },
    },
    log_type: string('What kind of log the record comes from, where its input says.'),
    source: source('The input and the format that the record came from.'),
  },
};

const log = {
  type: 'object',
  description: 'A line of an input that is shipped as it is.',
  required: ['id', 'log_type', 'source'],
  properties: {
    id,
    log_type: string('What the log is: `audit`, `dns`, …'),
    timestamp: time("The line's own time, where it has one that is known."),
    node_name: nodeName,
    message: string('The line, of an input with `format: text`.'),
    body: { type: 'object', description: "The line's object, of an input with `format: json`." },
    source: source('The input and the format that the record came from.', ['json', 'text']),
  },
  oneOf: [{ required: ['message'] }, { required: ['body'] }],
  additionalProperties: false,
};

const dropped = (description: string) => ({
  type: 'object',
  description,
  properties: {
    allow: count('Allowed connections.'),
    deny: count('Denied connections.'),
    unknown: count('Connections without a verdict.'),
  },
  additionalProperties: false,
});

const summary = {
  type: 'object',
  description: 'What the agent had to drop, at most once a minute. It stands for no line.',
  required: ['id', 'log_type', 'timestamp', 'last_timestamp', 'dropped', 'source'],
  properties: {
    id,
    log_type: { const: 'summary', description: 'Tells a summary from all other records.' },
    node_name: nodeName,
    timestamp: time('Time of the first dropped connection.'),
    last_timestamp: time('Time of the last one.'),
    dropped: {
      type: 'object',
      description: 'Dropped connections by reason.',
      properties: {
        rate_limit: dropped('More new records than `limit` allows.'),
        aggregation_limit: dropped('More open windows than `aggregate.keys_max`.'),
      },
      additionalProperties: false,
    },
    source: source('Always the agent itself.', ['summary']),
  },
  additionalProperties: false,
};

function source(description: string, formats?: string[]) {
  const format = string('The format: `syslog`, `policy_action`, `flow_log`, …');
  return {
    type: 'object',
    description,
    required: ['input', 'format'],
    properties: {
      input: string("The input's name."),
      format: formats === undefined ? format : { ...format, enum: formats },
    },
    additionalProperties: false,
  };
}

/**
 * Every record that the agent delivers, as JSON Schema (draft 2020-12). Members beyond those described are
 * allowed exactly where a source's own are carried through.
 */
export const recordSchema: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'policy-log-agent record',
  description: 'What the agent delivers: flows, lines of other logs, and summaries of what was dropped.',
  oneOf: [{ $ref: '#/$defs/flow' }, { $ref: '#/$defs/log' }, { $ref: '#/$defs/summary' }],
  $defs: { flow, log, summary },
};
