/**
 * The URL of a server's API: `url` where it ends with the API's path already, or names it below a prefix of its own;
 * else `url` with the path behind it.
 */
export function endpoint(url: string, path: string): string {
  const parsed = new URL(url);
  const base = parsed.pathname.replace(/\/+$/, '');
  parsed.pathname = base.endsWith(path) ? base : `${base}${path}`;
  return parsed.href;
}
