import { recordSchema } from '../../parsers/record-schema.ts';
import { configJsonSchema } from '../config/json-schema.ts';
import type { SchemaSubject } from './cli.ts';
import { EX_OK } from './exit-codes.ts';
import type { CommandIo } from './validate.ts';

const GENERATORS = { config: configJsonSchema, record: () => recordSchema } satisfies Record<
  SchemaSubject,
  () => object
>;

/** A JSON Schema as standard output and the files in `schema/` have it. */
export function schemaText(subject: SchemaSubject): string {
  return `${JSON.stringify(GENERATORS[subject](), null, 2)}\n`;
}

/** Writes one JSON Schema to standard output. */
export function schema(subject: SchemaSubject, io: CommandIo = process): number {
  io.stdout.write(schemaText(subject));
  return EX_OK;
}
