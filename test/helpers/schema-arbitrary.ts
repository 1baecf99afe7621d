import fc from 'fast-check';
import * as z from 'zod/mini';
import type { JsonSchema } from '../../agent/config/json-schema.ts';
import { duration, size } from '../../agent/config/units.ts';

/** Values for keys whose form no JSON Schema tells, by key. */
export type ByKey = Readonly<Record<string, fc.Arbitrary<unknown>>>;

/**
 * Values that a JSON Schema describes, as people write them: with keys left out that have a default.
 * @param leaveOut keys that appear only where they are required
 */
export function arbitraryOf(
  schema: JsonSchema,
  byKey: ByKey,
  leaveOut: (key: string) => boolean,
): fc.Arbitrary<unknown> {
  const defs = schema.$defs ?? {};
  const build = (at: JsonSchema, depth: number): fc.Arbitrary<unknown> => {
    if (at.$ref !== undefined) return build(defs[at.$ref.split('/').at(-1)!]!, depth + 1);
    const options = at.oneOf ?? at.anyOf;
    if (options !== undefined) {
      // Deep in a recursion only alternatives without one are left.
      const ends = options.filter((option) => !JSON.stringify(option).includes('$ref'));
      return fc.oneof(
        ...(depth > 2 && ends.length > 0 ? ends : options).map((option) => build(option, depth)),
      );
    }
    if (at.const !== undefined) return fc.constant(at.const);
    if (at.enum !== undefined) return fc.constantFrom(...at.enum);
    if (at.title !== undefined && at.type === 'string') return amount(at.title);
    switch (Array.isArray(at.type) ? at.type[0] : at.type) {
      case 'object':
        return object(at, depth);
      case 'array':
        return fc.array(build(at.items ?? {}, depth), { minLength: at.minItems ?? 0, maxLength: 3 });
      case 'boolean':
        return fc.boolean();
      case 'integer':
        return fc.integer({
          min: at.minimum ?? 0,
          max: Math.min(at.maximum ?? 1e6, (at.minimum ?? 0) + 1e6),
        });
      case 'number':
        return fc.double({ min: at.minimum ?? 0.001, max: at.maximum ?? 1e6, noNaN: true });
      default:
        return at.pattern === undefined ? text : fc.stringMatching(new RegExp(at.pattern));
    }
  };
  const object = (at: JsonSchema, depth: number): fc.Arbitrary<unknown> => {
    if (typeof at.additionalProperties === 'object') {
      const pattern = at.propertyNames?.pattern;
      return fc.dictionary(
        pattern === undefined
          ? fc.constantFrom('X-One', 'X-Two', 'X Three', '__proto__x')
          : fc.stringMatching(new RegExp(pattern)),
        build(at.additionalProperties, depth),
        {
          maxKeys: 2,
        },
      );
    }
    const keys = Object.entries(at.properties ?? {}).filter(
      ([key]) => !leaveOut(key) || at.required?.includes(key),
    );
    const model = Object.fromEntries(keys.map(([key, value]) => [key, byKey[key] ?? build(value, depth)]));
    return fc.record(model, { requiredKeys: at.required ?? [] });
  };
  return build(schema, 0);
}

/** @param title as `duration` or `size from 1KiB to 256MiB` */
function amount(title: string): fc.Arbitrary<string> {
  const [kind, , min, , max] = title.split(' ');
  const codec = kind === 'duration' ? duration(min, max) : size(min, max);
  const values = kind === 'duration' ? DURATIONS : SIZES;
  return fc.constantFrom(...values.filter((value) => z.safeDecode(codec, value).success));
}

const DURATIONS = ['1ms', '250ms', '1s', '1.5s', '90s', '2m', '1h', '36h', '7d'];
const SIZES = ['1000B', '4KiB', '64KiB', '0.5MiB', '3MB', '8MiB', '512MiB', '2GiB'];

const text = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.constantFrom(
    'yes',
    '1234',
    'null',
    '~',
    ' padded ',
    '${X}',
    '$${X}',
    '#',
    '- a',
    'a: b',
    '&a',
    '*a',
    '!t',
    '"',
    "'",
    'ü\n\tx',
  ),
);
