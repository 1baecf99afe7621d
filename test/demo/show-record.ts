import { stripVTControlCharacters, styleText } from 'node:util';

/** As much of a record as the screen shows. */
interface ShownRecord {
  timestamp: string;
  disposition?: 'allow' | 'deny' | 'unknown';
  connection?: {
    src_ip: string;
    src_port?: number;
    dest_ip: string;
    dest_port?: number;
    protocol: string;
  };
  src?: ShownEndpoint;
  dest?: ShownEndpoint;
  count?: number;
  policies?: { name: string; namespace?: string }[];
  prefix?: string;
}

interface ShownEndpoint {
  pod_name?: string;
  namespace?: string;
  node_name?: string;
}

const COLOURS = { allow: 'green', deny: 'red', unknown: 'yellow' } as const;
const ARROW = ' → ';
/** Time, disposition, count and the spaces between all columns. */
const FIXED_WIDTH = 34;
const SIDE_WIDTH_MIN = 18;
const SIDE_WIDTH_MAX = 44;

/**
 * A record on one line of at most `columns` characters: time, disposition, source → destination, count and
 * policies. Without connection (a summary of what was dropped) undefined.
 */
export function showRecord(json: string, columns: number, colours: boolean): string | undefined {
  const record = JSON.parse(json) as ShownRecord;
  const { connection, disposition = 'unknown' } = record;
  if (connection === undefined) return undefined;
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    colours ? styleText(style, text, { validateStream: false }) : text;

  const sideWidth = Math.min(
    SIDE_WIDTH_MAX,
    Math.max(SIDE_WIDTH_MIN, Math.floor((columns - FIXED_WIDTH) / 2.6)),
  );
  const port = connection.dest_port === undefined ? '' : `:${connection.dest_port}`;
  const src = cut(endpointName(record.src, connection.src_ip), '', sideWidth);
  const dest = cut(
    endpointName(record.dest, connection.dest_ip),
    `${port}/${connection.protocol}`,
    sideWidth,
  );
  const count = record.count !== undefined && record.count > 1 ? `×${record.count}` : '';
  const policies = record.policies
    ?.map(({ name, namespace }) => (namespace === undefined ? name : `${namespace}/${name}`))
    .filter((name) => name !== '')
    .join(', ');

  const line =
    `${paint('dim', timeOfDay(record.timestamp))}  ` +
    `${paint(COLOURS[disposition], disposition.padEnd(7))}  ` +
    `${src.padStart(sideWidth)}${paint('dim', ARROW)}${dest.padEnd(sideWidth)}  ` +
    paint('bold', count.padEnd(4));
  const left = columns - stripVTControlCharacters(line).length - 1;
  const why = policies || record.prefix || '';
  return (why === '' || left < 4 ? line : `${line} ${paint('dim', cut(why, '', left))}`).trimEnd();
}

/** `08:00:00.500` of an RFC 3339 timestamp, however many digits it has. */
function timeOfDay(timestamp: string): string {
  const [seconds = '', fraction = ''] = timestamp.slice(11).replace(/Z$/, '').split('.');
  return `${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}`;
}

function endpointName(endpoint: ShownEndpoint | undefined, ip: string): string {
  if (endpoint?.pod_name !== undefined) {
    return endpoint.namespace === undefined
      ? endpoint.pod_name
      : `${endpoint.namespace}/${endpoint.pod_name}`;
  }
  return endpoint?.node_name ?? (ip.includes(':') ? `[${ip}]` : ip);
}

/** `text` and `end` in `width` characters; what is too long loses from the end of `text`. */
function cut(text: string, end: string, width: number): string {
  if (text.length + end.length <= width) return text + end;
  return `${text.slice(0, Math.max(0, width - end.length - 1))}…${end}`;
}
