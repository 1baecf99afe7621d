/**
 * A time as records write it: RFC 3339 in UTC.
 *
 * @param timeUs whole microseconds since the epoch
 * @param digits digits after the point, 0 to 6
 */
export function formatTime(timeUs: number, digits: number): string {
  const ms = Math.floor(timeUs / 1000);
  const text = new Date(ms).toISOString();
  if (digits === 0) return `${text.slice(0, -5)}Z`;
  if (digits <= 3) return `${text.slice(0, digits - 4)}Z`;
  const micros = String(timeUs - ms * 1000).padStart(3, '0');
  return `${text.slice(0, -1)}${micros.slice(0, digits - 3)}Z`;
}
