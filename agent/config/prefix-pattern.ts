import * as z from 'zod/mini';

/** A log prefix: literal, or with `*` for anything, or a regular expression between slashes. */
export function prefixPattern() {
  return z.string().check(z.minLength(1), ({ value, issues }) => {
    const expression = /^\/(.+)\/$/s.exec(value)?.[1];
    if (expression === undefined) return;
    try {
      new RegExp(expression);
    } catch (error) {
      const why = (error as Error).message.replace(/^Invalid regular expression: /, '');
      issues.push({ code: 'custom', input: value, message: `expected a regular expression; ${why}` });
    }
  });
}
