/**
 * Checks a value against a JSON Schema: the few keywords that docs/spec/cli uses, no more.
 *
 * A keyword that it does not know throws, so that no schema can promise what is not checked.
 *
 * @module
 */

type Schema = Readonly<Record<string, unknown>>

/** They say something to people only. */
const ANNOTATIONS = ['$schema', 'title', 'description', 'contentEncoding']

/** What is wrong with `value`; empty if it fits. */
export function findSchemaProblems(schema: Schema, value: unknown, path = '$'): string[] {
  return Object.entries(schema).flatMap(([keyword, argument]) => {
    if (ANNOTATIONS.includes(keyword)) return []
    const check = KEYWORDS[keyword]
    if (check === undefined) throw new Error(`${path}: the keyword ${keyword} is not known`)
    return check(argument, value, path, schema)
  })
}

type Check = (argument: unknown, value: unknown, path: string, schema: Schema) => string[]

const KEYWORDS: Readonly<Record<string, Check>> = {
  type: (types, value, path) => {
    const allowed = [types].flat() as string[]
    return allowed.some((type) => isOfType(value, type)) ? [] : [`${path}: not ${allowed}`]
  },
  const: (expected, value, path) => (value === expected ? [] : [`${path}: not ${expected}`]),
  enum: (allowed, value, path) =>
    (allowed as unknown[]).includes(value) ? [] : [`${path}: not one of ${allowed}`],
  minimum: (least, value, path) =>
    typeof value !== 'number' || value >= (least as number) ? [] : [`${path}: below ${least}`],
  pattern: (pattern, value, path) =>
    typeof value !== 'string' || new RegExp(pattern as string, 'u').test(value)
      ? []
      : [`${path}: ${value} does not match ${pattern}`],
  oneOf: (schemas, value, path) => {
    const found = (schemas as Schema[]).map((schema) => findSchemaProblems(schema, value, path))
    const fits = found.filter((problems) => problems.length === 0).length
    return fits === 1 ? [] : [`${path}: fits ${fits} of ${found.length}: ${found.flat()}`]
  },
  required: (names, value, path) =>
    (names as string[])
      .filter((name) => isObject(value) && !Object.hasOwn(value, name))
      .map((name) => `${path}: ${name} is missing`),
  properties: (properties, value, path) =>
    Object.entries(properties as Record<string, Schema>).flatMap(([name, schema]) =>
      isObject(value) && Object.hasOwn(value, name)
        ? findSchemaProblems(schema, value[name], `${path}.${name}`)
        : [],
    ),
  additionalProperties: (argument, value, path, schema) => {
    if (!isObject(value)) return []
    const known = Object.keys((schema['properties'] as object | undefined) ?? {})
    const others = Object.keys(value).filter((name) => !known.includes(name))
    if (argument === false) return others.map((name) => `${path}: ${name} is not expected`)
    return others.flatMap((name) =>
      findSchemaProblems(argument as Schema, value[name], `${path}.${name}`),
    )
  },
  items: (schema, value, path) =>
    Array.isArray(value)
      ? value.flatMap((item, at) => findSchemaProblems(schema as Schema, item, `${path}[${at}]`))
      : [],
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value)
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type
    default:
      throw new Error(`the type ${type} is not known`)
  }
}
