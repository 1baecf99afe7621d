import * as z from 'zod/mini';

const text = () => z.optional(z.string().check(z.minLength(1)));

/** What sinks of AWS services have in common: where the service is, and who asks. */
export const awsKeys = {
  region: z
    .string()
    .check(
      z.regex(/^[a-z0-9-]+$/, 'a region: lower-case letters, digits, dashes'),
      z.describe('Region of the service, as `eu-central-1`; signatures name it.'),
    ),
  endpoint: z
    .optional(z.url({ protocol: /^https?$/, error: 'an http or https URL' }))
    .check(z.describe("The service's address where it is not AWS's own: a compatible one, a VPC endpoint.")),
  access_key_id: text().check(
    z.describe(
      'Id of an access key. Without one: the environment, a web identity (IRSA), Pod Identity or ECS, the instance (IMDSv2), whichever is there first.',
    ),
  ),
  secret_access_key: text().check(z.describe('Secret of that key.')),
  session_token: text().check(z.describe('Session token of that key, where it is a temporary one.')),
  assume_role: z
    .optional(
      z.strictObject({
        arn: z.string().check(z.startsWith('arn:', 'an ARN'), z.describe('The role.')),
        external_id: text().check(z.describe('External id that the role asks for.')),
        session_name: z
          .prefault(
            z.string().check(z.regex(/^[\w+=,.@-]{2,64}$/, '2 to 64 letters, digits and _+=,.@-')),
            'policy-log-agent',
          )
          .check(z.describe("Name of the role's session, as CloudTrail shows it.")),
      }),
    )
    .check(z.describe('A role to assume with these credentials.')),
};

/** Where a sink's credentials come from. */
export interface AwsAuthOptions {
  readonly region: string;
  readonly access_key_id?: string | undefined;
  readonly secret_access_key?: string | undefined;
  readonly session_token?: string | undefined;
  readonly assume_role?:
    | { readonly arn: string; readonly external_id?: string | undefined; readonly session_name: string }
    | undefined;
}

/** Whether a key's parts are there together. */
export function hasWholeKey(sink: AwsAuthOptions): boolean {
  const { access_key_id: id, secret_access_key: secret, session_token: token } = sink;
  return (id === undefined) === (secret === undefined) && (token === undefined || id !== undefined);
}

/** What to say where they are not. */
export const WHOLE_KEY = {
  path: ['access_key_id'],
  error: 'access_key_id and secret_access_key go together, and session_token with them',
};
