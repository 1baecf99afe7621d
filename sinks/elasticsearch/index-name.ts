/**
 * The name of the index or data stream that a record goes to.
 * @param template with the placeholders `{log_type}`, `%Y`, `%m`, `%d` and `%H`
 * @returns a function of a record's log type and its time in RFC 3339, UTC
 */
export function indexNames(template: string): (logType: string | undefined, timestamp: string) => string {
  if (!PLACEHOLDER.test(template)) return () => template;
  return (logType, timestamp) =>
    template.replaceAll(PLACEHOLDERS, (placeholder) => {
      if (placeholder === LOG_TYPE) return nameable(logType);
      const [from, to] = DIGITS[placeholder as keyof typeof DIGITS];
      return timestamp.slice(from, to);
    });
}

/** The pattern that all names of a template fit. */
export function indexPattern(template: string): string {
  return template.replaceAll(PLACEHOLDERS, '*').replaceAll(/\*(?:[.-]?\*)+/g, '*');
}

/** A name has 255 bytes at most, and the template 200. */
const LOG_TYPE_CHARS_MAX = 50;
const LOG_TYPE = '{log_type}';
const PLACEHOLDER = /\{log_type\}|%[YmdH]/;
const PLACEHOLDERS = /\{log_type\}|%[YmdH]/g;

/** Where the parts of a time stand in `2026-11-21T10:15:02Z`. */
const DIGITS = { '%Y': [0, 4], '%m': [5, 7], '%d': [8, 10], '%H': [11, 13] } as const;

/** A log type as a part of a name: lower-case, and without what a name must not have. */
function nameable(logType = 'flow'): string {
  return logType
    .slice(0, LOG_TYPE_CHARS_MAX)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]/g, '_');
}
