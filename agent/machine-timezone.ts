import { readlinkSync } from 'node:fs';

const ZONEINFO = '/zoneinfo/';

/**
 * The IANA time zone that this machine's clock shows: that of `TZ`, else the one that /etc/localtime points at, else
 * UTC. `Intl`, which knows it too, costs 8 MB of memory as soon as it is asked anything; it is asked only where the
 * zone is not given by name.
 */
export function machineTimezone(env: NodeJS.ProcessEnv, localtime = '/etc/localtime'): string {
  if (env.TZ !== undefined) return isName(env.TZ) ? env.TZ : askIntl();
  try {
    const target = readlinkSync(localtime);
    const at = target.indexOf(ZONEINFO);
    return at < 0 ? askIntl() : target.slice(at + ZONEINFO.length);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'UTC' : askIntl();
  }
}

/** `TZ` may also be a file, or a rule such as CET-1CEST. */
function isName(zone: string): boolean {
  return zone === 'UTC' || /^[A-Z][A-Za-z_]+\/[A-Za-z0-9_+/-]+$/.test(zone);
}

function askIntl(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
