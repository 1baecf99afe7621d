import { readFileSync, writeFileSync } from 'node:fs';
import { schemaText } from '../agent/commands/schema.ts';
import { chartReadme } from '../helm/document-values.ts';
import { valuesSchemaText } from '../helm/values-schema.ts';
import { configurationPage } from './configuration-page.ts';

/**
 * What is generated from the schemas and the chart's values, by path from the top of the repository. `npm run schema` writes it; a
 * test holds what is committed to it.
 */
export function generatedFiles(): Map<string, string> {
  const template = readFileSync(new URL('configuration.template.md', import.meta.url), 'utf8');
  return new Map([
    ['schema/config.schema.json', schemaText('config')],
    ['schema/record.schema.json', schemaText('record')],
    ['docs/configuration.md', configurationPage(template)],
    ['helm/policy-log-agent/README.md', chartReadme()],
    ['helm/policy-log-agent/values.schema.json', valuesSchemaText()],
  ]);
}

if (import.meta.main) {
  for (const [path, text] of generatedFiles()) writeFileSync(new URL(`../${path}`, import.meta.url), text);
}
