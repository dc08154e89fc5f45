/**
 * Every source parses: the other rules see nothing in a file that does not.
 *
 * @module
 */
import type { Rule } from './tree.ts'

export const syntax: Rule = {
  name: 'syntax',
  check: (tree) =>
    tree.sources.flatMap(({ path, syntaxError }) =>
      syntaxError === undefined ? [] : [{ path, line: 1, message: syntaxError }],
    ),
}
