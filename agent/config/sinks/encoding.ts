import * as z from 'zod/mini';
import { templateProblem } from '../../stages/template.ts';

const JSON_CODECS = ['gke', 'ecs', 'calico_flow'] as const;
const TEXT_CODECS = ['cef', 'template'] as const;

const meanings = {
  gke: '`gke`: as they are',
  ecs: '`ecs`: Elastic Common Schema',
  calico_flow: "`calico_flow`: the names of Calico Enterprise's flow logs",
  cef: '`cef`: Common Event Format',
  template: '`template`: a line of text',
};

function describe(codecs: readonly (keyof typeof meanings)[]): string {
  return `${codecs.map((codec) => meanings[codec]).join('; ')}.`;
}

/** `encoding` of a sink that carries JSON. */
export const jsonEncoding = z
  .prefault(
    z.strictObject({
      codec: z.prefault(z.enum(JSON_CODECS), 'gke').check(z.describe(describe(JSON_CODECS))),
    }),
    {},
  )
  .check(z.describe('How records are written.'));

/** `encoding` of a sink that carries any text. */
export const textEncoding = z
  .prefault(
    z
      .strictObject({
        codec: z
          .prefault(z.enum([...JSON_CODECS, ...TEXT_CODECS]), 'gke')
          .check(z.describe(describe([...JSON_CODECS, ...TEXT_CODECS]))),
        template: z
          .optional(
            z.string().check(
              z.minLength(1),
              z.check(({ value, issues }) => {
                const message = templateProblem(value);
                if (message !== undefined) issues.push({ code: 'custom', input: value, message });
              }),
            ),
          )
          .check(z.describe('With `template`: one line with fields in it, as `{{ src.namespace }}`.')),
        missing: z
          .prefault(z.string(), '-')
          .check(z.describe('With `template`: what stands for a field that a record does not have.')),
      })
      .check(
        z.refine(({ codec, template }) => (codec === 'template') === (template !== undefined), {
          error: '`codec: template` and `template` go together',
        }),
      ),
    {},
  )
  .check(z.describe('How records are written.'));

export type EncodingOptions = z.infer<typeof jsonEncoding> | z.infer<typeof textEncoding>;

/** Whether what comes out is text that is no JSON. */
export function isText({ codec }: EncodingOptions): boolean {
  return (TEXT_CODECS as readonly string[]).includes(codec);
}
