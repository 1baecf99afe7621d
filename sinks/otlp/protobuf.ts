import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { AnyValue, KeyValue, LogRecord, LogsRequest, ResourceLogs } from './logs.ts';

// Field numbers of opentelemetry/proto/collector/logs/v1/logs_service.proto and what it imports.

/** ExportLogsServiceRequest. */
export function encodeLogs({ resourceLogs }: LogsRequest): Buffer {
  const writer = new BinaryWriter();
  for (const logs of resourceLogs) message(writer, 1, () => writeResourceLogs(writer, logs));
  return Buffer.from(writer.finish().buffer);
}

/** How many records a receiver did not take, and what it says. */
export interface PartialSuccess {
  readonly rejectedLogRecords: number;
  readonly errorMessage: string;
}

/**
 * ExportLogsServiceResponse.
 * @throws for bytes that are none
 */
export function decodeAnswer(bytes: Uint8Array): PartialSuccess {
  const reader = new BinaryReader(bytes);
  let partial: PartialSuccess = { rejectedLogRecords: 0, errorMessage: '' };
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1) partial = decodePartialSuccess(reader.bytes());
    else reader.skip(type);
  }
  return partial;
}

function decodePartialSuccess(bytes: Uint8Array): PartialSuccess {
  const reader = new BinaryReader(bytes);
  let rejectedLogRecords = 0;
  let errorMessage = '';
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1) rejectedLogRecords = Number(reader.int64());
    else if (field === 2) errorMessage = reader.string();
    else reader.skip(type);
  }
  return { rejectedLogRecords, errorMessage };
}

function writeResourceLogs(writer: BinaryWriter, { resource, scopeLogs }: ResourceLogs): void {
  message(writer, 1, () => writeKeyValues(writer, 1, resource.attributes));
  for (const { scope, logRecords } of scopeLogs) {
    message(writer, 2, () => {
      message(writer, 1, () => writeString(writer, 1, scope.name));
      for (const record of logRecords) message(writer, 2, () => writeLogRecord(writer, record));
    });
  }
}

function writeLogRecord(writer: BinaryWriter, record: LogRecord): void {
  if (record.timeUnixNano !== undefined) writer.tag(1, WireType.Bit64).fixed64(record.timeUnixNano);
  writer.tag(2, WireType.Varint).int32(record.severityNumber);
  writeString(writer, 3, record.severityText);
  message(writer, 5, () => writeAnyValue(writer, record.body));
  writeKeyValues(writer, 6, record.attributes);
  writer.tag(11, WireType.Bit64).fixed64(record.observedTimeUnixNano);
  if (record.eventName !== undefined) writeString(writer, 12, record.eventName);
}

function writeKeyValues(writer: BinaryWriter, field: number, pairs: readonly KeyValue[]): void {
  for (const { key, value } of pairs) {
    message(writer, field, () => {
      writeString(writer, 1, key);
      message(writer, 2, () => writeAnyValue(writer, value));
    });
  }
}

function writeAnyValue(writer: BinaryWriter, value: AnyValue): void {
  if ('stringValue' in value) writeString(writer, 1, value.stringValue);
  else if ('intValue' in value) writer.tag(3, WireType.Varint).int64(value.intValue);
  else {
    message(writer, 5, () => {
      for (const item of value.arrayValue.values) message(writer, 1, () => writeAnyValue(writer, item));
    });
  }
}

function writeString(writer: BinaryWriter, field: number, text: string): void {
  writer.tag(field, WireType.LengthDelimited).string(text);
}

function message(writer: BinaryWriter, field: number, write: () => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write();
  writer.join();
}
