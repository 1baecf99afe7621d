import * as z from 'zod/mini';
import { type FilterConfig, testProblems } from '../stages/filter.ts';

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const fieldTest = z
  .strictObject({
    field: z
      .string()
      .check(
        z.minLength(1),
        z.describe(
          'Path in the record, as `dest.namespace` or `policies.name`; in a list, any element may match.',
        ),
      ),
    equals: z.optional(scalar).check(z.describe('Exactly this value.')),
    one_of: z.optional(z.array(scalar).check(z.minLength(1))).check(z.describe('Any of these values.')),
    matches: z.optional(z.string()).check(z.describe('A regular expression in RE2 syntax; linear time.')),
    cidr: z
      .optional(z.union([z.string(), z.array(z.string()).check(z.minLength(1))]))
      .check(z.describe('An address in this network, or one of these.')),
    port_range: z
      .optional(z.string().check(z.regex(/^\d{1,5}(-\d{1,5})?$/, 'a port or a range: 80, 1024-65535')))
      .check(z.describe('A port, or a range with both ends in it.')),
    exists: z.optional(z.boolean()).check(z.describe('Whether the field is there.')),
  })
  .check(({ value, issues }) => {
    // A misspelt key is enough said of a test that is then missing.
    if (issues.length > 0) return;
    for (const { path, message } of testProblems(value))
      issues.push({ code: 'custom', input: value, path: [...path], message, continue: true });
  });

export const filterSchema: z.ZodMiniType<FilterConfig> = z.lazy(() =>
  z.union([
    z.strictObject({ and: z.array(filterSchema).check(z.minLength(1), z.describe('All of these hold.')) }),
    z.strictObject({ or: z.array(filterSchema).check(z.minLength(1), z.describe('One of these holds.')) }),
    z.strictObject({ not: filterSchema }).check(z.describe('This does not hold.')),
    fieldTest,
  ]),
) as z.ZodMiniType<FilterConfig>;
