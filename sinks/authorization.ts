import type { AuthOptions } from '../agent/config/sinks/auth.ts';

/** The `authorization` header that the options ask for; no header without them. */
export function authorization(auth: AuthOptions): { authorization?: string } {
  if (auth?.token !== undefined) return { authorization: `Bearer ${auth.token}` };
  if (auth?.user === undefined) return {};
  const pair = Buffer.from(`${auth.user}:${auth.password}`).toString('base64');
  return { authorization: `Basic ${pair}` };
}
