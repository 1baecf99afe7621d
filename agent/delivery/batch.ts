import type { Batch, OutgoingRecord } from '../../sinks/sink.ts';

const NEWLINE = 0x0a;

/**
 * Records on their way to one sink, as slices of the outbox's blocks. What holds for every `json` here: the byte
 * behind it in the underlying memory is its newline, so neighbours can be sent as one piece.
 */
export class RecordBatch implements Batch {
  readonly count: number;
  readonly bytes: number;
  readonly ndjson: readonly Buffer[];
  #records: readonly OutgoingRecord[] | undefined;

  /** @param ndjson whole lines, `count` of them; @param records the same, where they are known already */
  constructor(ndjson: readonly Buffer[], count: number, records?: readonly OutgoingRecord[]) {
    this.ndjson = ndjson;
    this.count = count;
    this.bytes = ndjson.reduce((bytes, piece) => bytes + piece.length, 0);
    this.#records = records;
  }

  static of(records: readonly OutgoingRecord[]): RecordBatch {
    return new RecordBatch(joinNeighbours(records), records.length, records);
  }

  get records(): readonly OutgoingRecord[] {
    this.#records ??= this.ndjson.flatMap(splitLines);
    return this.#records;
  }

  /** The records at these indices. */
  pick(indices: readonly number[]): RecordBatch {
    return RecordBatch.of(indices.map((index) => this.records[index]!));
  }

  halves(): [RecordBatch, RecordBatch] {
    const middle = this.count >> 1;
    return [RecordBatch.of(this.records.slice(0, middle)), RecordBatch.of(this.records.slice(middle))];
  }
}

/** One line of a block. */
export class BlockRecord implements OutgoingRecord {
  readonly json: Buffer;
  #value: Record<string, unknown> | undefined;

  constructor(json: Buffer) {
    this.json = json;
  }

  value(): Record<string, unknown> {
    this.#value ??= JSON.parse(this.json.toString()) as Record<string, unknown>;
    return this.#value;
  }

  get originalJson(): Buffer {
    return this.json;
  }

  original(): Record<string, unknown> {
    return this.value();
  }
}

function splitLines(piece: Buffer): BlockRecord[] {
  const records: BlockRecord[] = [];
  for (let start = 0; start < piece.length; ) {
    const end = piece.indexOf(NEWLINE, start);
    records.push(new BlockRecord(piece.subarray(start, end)));
    start = end + 1;
  }
  return records;
}

/** The records' lines, with those that stand behind each other in memory as one piece. */
function joinNeighbours(records: readonly OutgoingRecord[]): Buffer[] {
  const pieces: Buffer[] = [];
  let memory: ArrayBufferLike | undefined;
  let start = 0;
  let end = 0;
  for (const { json } of records) {
    if (json.buffer !== memory || json.byteOffset !== end) {
      if (memory) pieces.push(Buffer.from(memory, start, end - start));
      memory = json.buffer;
      start = json.byteOffset;
    }
    end = json.byteOffset + json.length + 1;
  }
  if (memory) pieces.push(Buffer.from(memory, start, end - start));
  return pieces;
}
