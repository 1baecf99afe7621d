/** What a file's name says about its place in a rotated set. */
export interface RotatedName {
  /** Name of the active file, as `syslog` for `syslog.2.gz`. */
  readonly base: string;
  /** How the name tells age: nothing (the active file), a number that grows, or a date. */
  readonly scheme: 'active' | 'number' | 'date';
  readonly number: number;
  /** The date's digits, which sort by age. */
  readonly digits: string;
  readonly compression: Compression;
}

export type Compression = 'none' | 'gzip' | 'zstd';

const COMPRESSED = /^(.+)\.(gz|zst|zstd)$/;
/** logrotate: `syslog.1`. */
const NUMBER = /^(.+)\.(\d{1,4})$/;
/** logrotate with `extension .log`: `app.1.log`. */
const NUMBER_BEFORE_EXTENSION = /^(.+)\.(\d{1,4})(\.[A-Za-z]\w*)$/;
const TIME = String.raw`(?:(?:19|20)\d{2}[-_.]?\d{2}[-_.]?\d{2}[\d:._TZ+-]*|\d{10,19})`;
/** logrotate's dateext: `messages-20261121`, `messages-20261121-1763683200`. */
const DATE = new RegExp(`^(.+?)[-_.](${TIME})$`);
/** lumberjack: `policy_action-2026-11-20T10-00-00.000.log`; also with nothing in between. */
const DATE_BEFORE_EXTENSION = new RegExp(String.raw`^(.+?)[-_.]?(${TIME})(\.[A-Za-z]\w*)$`);

/** Reads a name as that of a rotated file; a name that is none is its own base. */
export function readName(name: string): RotatedName {
  const packed = COMPRESSED.exec(name);
  const plain = packed === null ? name : packed[1]!;
  const compression = packed === null ? 'none' : packed[2] === 'gz' ? 'gzip' : 'zstd';
  const of = (base: string, scheme: RotatedName['scheme'], value: string): RotatedName => ({
    base,
    scheme,
    number: scheme === 'number' ? Number(value) : 0,
    digits: scheme === 'date' ? value.replace(/\D/g, '') : '',
    compression,
  });
  let found = NUMBER.exec(plain);
  if (found !== null) return of(found[1]!, 'number', found[2]!);
  found = DATE_BEFORE_EXTENSION.exec(plain);
  if (found !== null) return of(found[1]! + found[3]!, 'date', found[2]!);
  found = DATE.exec(plain);
  if (found !== null) return of(found[1]!, 'date', found[2]!);
  found = NUMBER_BEFORE_EXTENSION.exec(plain);
  if (found !== null) return of(found[1]! + found[3]!, 'number', found[2]!);
  return of(plain, 'active', '');
}
