/** Facilities of syslog, each at its number. */
export const FACILITIES = [
  ...(['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron'] as const),
  ...(['authpriv', 'ftp', 'ntp', 'audit', 'alert', 'clock', 'local0', 'local1', 'local2'] as const),
  ...(['local3', 'local4', 'local5', 'local6', 'local7'] as const),
] as const;

/** Severities of syslog, each at its number. */
export const SEVERITIES = [
  ...(['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'info', 'debug'] as const),
] as const;
