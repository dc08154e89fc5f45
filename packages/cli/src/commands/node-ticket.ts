/**
 * `longshore node ticket`: the word by which others join a node.
 *
 * @module
 */
import { resolve } from 'node:path'
import { UnavailableError } from '@longshore/capsule'
import { readNodeFile } from '@longshore/node'
import type { Context } from '../context.ts'

export async function run({ args, out }: Context): Promise<undefined> {
  const data = resolve(args.text('data') ?? '')
  const { principal, ticket, listen } = readNodeFile(data)
  if (ticket === null) {
    const message = 'this node listens nowhere, so nobody can join it'
    throw new UnavailableError('NOT_FOUND', message, { data })
  }
  out.result({ principal, ticket, listen }, ticket)
}
