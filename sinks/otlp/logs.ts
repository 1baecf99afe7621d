import { unixNanos } from '../record-time.ts';
import { type Severity, severityOf } from '../severity.ts';
import type { OutgoingRecord } from '../sink.ts';
import { type Attributes, type AttributeValue, attributesOf } from './attributes.ts';

/** The messages of OTLP's logs that a request has, as `http/json` writes them. */
export interface LogsRequest {
  readonly resourceLogs: readonly ResourceLogs[];
}

export interface ResourceLogs {
  readonly resource: { readonly attributes: readonly KeyValue[] };
  readonly scopeLogs: readonly [ScopeLogs];
}

export interface ScopeLogs {
  readonly scope: { readonly name: string };
  readonly logRecords: LogRecord[];
}

export interface LogRecord {
  /** Nanoseconds since the epoch, in decimal digits. */
  readonly timeUnixNano?: string;
  readonly observedTimeUnixNano: string;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: AnyValue;
  readonly attributes: readonly KeyValue[];
  readonly eventName?: string;
}

export interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

export type AnyValue =
  | { readonly stringValue: string }
  | { readonly intValue: string }
  | { readonly arrayValue: { readonly values: readonly AnyValue[] } };

const SCOPE = 'policy-log-agent';

const SEVERITIES: Readonly<Record<Severity, readonly [number: number, text: string]>> = {
  info: [9, 'INFO'],
  notice: [10, 'NOTICE'],
  warning: [13, 'WARN'],
};

/** What a log type is about, where the agent itself makes its records. */
const EVENT_NAMES: Readonly<Record<string, string>> = {
  flow: 'network_policy.flow',
  summary: 'network_policy.summary',
};

/**
 * The request for these records; one resource for each node that they name.
 * @param observedNanos when they are sent
 */
export function logsRequest(
  records: readonly OutgoingRecord[],
  resourceAttributes: Readonly<Record<string, string>>,
  observedNanos: string,
): LogsRequest {
  const byNode = new Map<unknown, LogRecord[]>();
  for (const record of records) {
    const node = record.original().node_name;
    const logRecords = byNode.get(node) ?? [];
    byNode.set(node, logRecords);
    logRecords.push(logRecord(record, observedNanos));
  }
  const resourceLogs = [...byNode].map(([node, logRecords]): ResourceLogs => {
    const attributes: Attributes = new Map<string, AttributeValue>([['service.name', SCOPE]]);
    if (typeof node === 'string') attributes.set('k8s.node.name', node);
    for (const [name, value] of Object.entries(resourceAttributes)) attributes.set(name, value);
    return {
      resource: { attributes: keyValues(attributes) },
      scopeLogs: [{ scope: { name: SCOPE }, logRecords }],
    };
  });
  return { resourceLogs };
}

function logRecord(record: OutgoingRecord, observedTimeUnixNano: string): LogRecord {
  const original = record.original();
  const timeUnixNano = unixNanos(original.timestamp);
  const [severityNumber, severityText] = SEVERITIES[severityOf(original)];
  const attributes = attributesOf(record.value());
  attributes.set('log.record.uid', original.id as string);
  const eventName = EVENT_NAMES[(original.log_type as string | undefined) ?? 'flow'];
  return {
    ...(timeUnixNano !== undefined && { timeUnixNano }),
    observedTimeUnixNano,
    severityNumber,
    severityText,
    body: { stringValue: record.json.toString() },
    attributes: keyValues(attributes),
    ...(eventName !== undefined && { eventName }),
  };
}

function keyValues(attributes: Attributes): KeyValue[] {
  return Array.from(attributes, ([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: AttributeValue): AnyValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number') return { intValue: String(value) };
  return { arrayValue: { values: value.map((stringValue) => ({ stringValue })) } };
}
