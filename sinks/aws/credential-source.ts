import { randomUUID } from 'node:crypto';
import type { AwsAuthOptions } from '../../agent/config/sinks/aws.ts';
import { loadHttps } from '../node-http.ts';
import type { CredentialSource, Credentials } from './credentials.ts';

/** How long an instance's or a container's own endpoint may take, ms; they are on the same machine. */
const LOCAL_TIMEOUT_MS = 2000;
const STS_TIMEOUT_MS = 5000;

/**
 * Where a sink's credentials come from: keys in its configuration, or the first of the places that AWS names which is
 * there. Each place is a library of AWS, loaded when it is the one.
 *
 * 1. `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, with `AWS_SESSION_TOKEN`
 * 2. `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN` (IRSA): a token for STS, read again each time
 * 3. `AWS_CONTAINER_CREDENTIALS_FULL_URI` or `…_RELATIVE_URI` (EKS Pod Identity, ECS)
 * 4. the instance's role, by IMDSv2 alone
 */
export async function credentialSource(
  auth: AwsAuthOptions,
  warn: (message: string) => void,
): Promise<CredentialSource> {
  const source = await ownSource(auth, { debug() {}, info() {}, warn, error: warn });
  const { assume_role: role, region } = auth;
  if (role === undefined) return source;
  const { getDefaultRoleAssumer } = await import('@aws-sdk/nested-clients/sts');
  const assume = getDefaultRoleAssumer(stsOptions(region));
  return async () =>
    assume(await source(), {
      RoleArn: role.arn,
      RoleSessionName: role.session_name,
      ...(role.external_id !== undefined && { ExternalId: role.external_id }),
    });
}

async function ownSource(auth: AwsAuthOptions, logger: Logger): Promise<CredentialSource> {
  const { env } = process;
  const configured = keys(auth.access_key_id, auth.secret_access_key, auth.session_token);
  const found = configured ?? keys(env.AWS_ACCESS_KEY_ID, env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN);
  if (found) return async () => found;
  if (env.AWS_WEB_IDENTITY_TOKEN_FILE && env.AWS_ROLE_ARN) {
    const { fromTokenFile } = await import('@aws-sdk/credential-provider-web-identity');
    return fromTokenFile({
      webIdentityTokenFile: env.AWS_WEB_IDENTITY_TOKEN_FILE,
      roleArn: env.AWS_ROLE_ARN,
      roleSessionName: env.AWS_ROLE_SESSION_NAME || `policy-log-agent-${randomUUID()}`,
      clientConfig: stsOptions(auth.region),
    });
  }
  const full = env.AWS_CONTAINER_CREDENTIALS_FULL_URI;
  const relative = env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI;
  if (full || relative) {
    const { fromHttp } = await import('@aws-sdk/credential-provider-http');
    return fromHttp({ logger, timeout: LOCAL_TIMEOUT_MS, maxRetries: 1 });
  }
  const { fromInstanceMetadata } = await import('@smithy/credential-provider-imds');
  const options = { timeout: LOCAL_TIMEOUT_MS, maxRetries: 1, ec2MetadataV1Disabled: true };
  const fromInstance = fromInstanceMetadata({ logger, ...options });
  return () =>
    fromInstance().catch((error: unknown) => {
      throw new Error(`${NOT_FROM_INSTANCE} (${(error as Error).message})`);
    });
}

const NOT_FROM_INSTANCE =
  'none in the configuration or the environment, no web identity, no Pod Identity, and none from the instance, which answers pods only with a hop limit of 2';

/** What the libraries log to; else they would write to the console. */
interface Logger {
  debug(): void;
  info(): void;
  warn(message: string): void;
  error(message: string): void;
}

/** STS is reached as the sink's own server is: through the proxy of the environment. */
function stsOptions(region: string) {
  const httpsAgent = new (loadHttps().Agent)({ proxyEnv: process.env });
  return {
    region,
    requestHandler: { httpsAgent, connectionTimeout: STS_TIMEOUT_MS, requestTimeout: STS_TIMEOUT_MS },
  };
}

function keys(accessKeyId?: string, secretAccessKey?: string, sessionToken?: string) {
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) } satisfies Credentials;
}
