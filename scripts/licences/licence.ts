/**
 * Which licences a dependency may have.
 *
 * @module
 */

export interface Dependency {
  readonly name: string
  /** An SPDX expression, or whatever the package says instead. */
  readonly licence: string | undefined
  /** Used to build and check only: never part of what users install. */
  readonly isTool: boolean
}

/** Permissive: they ask for a notice at most, so Apache-2.0 code may be shipped with them. */
const ALLOWED: readonly string[] = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Python-2.0',
  'Unlicense',
]

/** They ask for changes to be published, which building with them does not cause. */
const ALLOWED_FOR_TOOLS: readonly string[] = ['MPL-2.0']

/** Why the dependency must not be used, or undefined. */
export function refuseLicence({ licence, isTool }: Dependency): string | undefined {
  if (licence === undefined || licence === '') return 'says no licence'
  const allowed = isTool ? [...ALLOWED, ...ALLOWED_FOR_TOOLS] : ALLOWED
  const choices = licence.replace(/[()]/g, '').split(/ OR /i)
  // With parentheses around AND inside OR this reads the same; nothing deeper exists in practice.
  const fine = choices.some((choice) =>
    choice.split(/ AND /i).every((id) => allowed.includes(id.trim())),
  )
  return fine ? undefined : `${licence} is not on the list of scripts/licences/licence.ts`
}
