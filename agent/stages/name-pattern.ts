import { LinearRegExp, patternProblem } from './linear-regexp.ts';

/**
 * Whether a name is one that a pattern means: literal; or with `*` for any characters; or a regular expression
 * between slashes, which may match anywhere in it.
 *
 * @throws PatternError for a regular expression that cannot be used
 */
export function compileName(pattern: string): (name: string) => boolean {
  if (isExpression(pattern)) {
    const expression = new LinearRegExp(pattern.slice(1, -1));
    return (name) => expression.test(name);
  }
  if (!pattern.includes('*')) return (name) => name === pattern;
  const literals = pattern.split('*').map((text) => text.replace(/[^0-9A-Za-z]/gu, '\\$&'));
  const expression = new LinearRegExp(`(?s)^${literals.join('.*')}$`);
  return (name) => expression.test(name);
}

/** Why a pattern cannot be used; undefined where it can. */
export function namePatternProblem(pattern: string): string | undefined {
  return isExpression(pattern) ? patternProblem(pattern.slice(1, -1)) : undefined;
}

function isExpression(pattern: string): boolean {
  return pattern.length > 2 && pattern.startsWith('/') && pattern.endsWith('/');
}
