/**
 * How to read a capsule that is elsewhere, as the command line says it.
 *
 * @module
 */
import { isLongshoreError } from '@longshore/capsule'
import { type Home, openHome, type RemoteOptions } from '@longshore/client/node'
import type { Context } from './context.ts'
import type { Arguments } from './parse-arguments.ts'

/** `--timeout`, in seconds. */
export function timeoutOption(args: Arguments): { readonly timeoutMs?: number } {
  const seconds = args.integer('timeout')
  return seconds === undefined ? {} : { timeoutMs: seconds * 1000 }
}

/** `--mirrors`, `--fresh` and `--timeout`. */
export function remoteOptions(args: Arguments): RemoteOptions {
  const [mirrors, freshS] = [args.integer('mirrors'), args.integer('fresh')]
  return {
    ...timeoutOption(args),
    ...(mirrors === undefined ? {} : { mirrors }),
    ...(freshS === undefined ? {} : { freshS }),
  }
}

/**
 * The home for reading one capsule: only for reading if it is there; else so that the head that is
 * read elsewhere can be kept (F23).
 */
export async function openHomeToRead({ homePath }: Context, name: string): Promise<Home> {
  const home = await openHome({ path: homePath, readOnly: true })
  if (home.network.tickets().length === 0 || (await hasCapsule(home, name))) return home
  await home.close()
  return openHome({ path: homePath, create: false })
}

/** What is wrong with the name is said when it is opened. */
async function hasCapsule(home: Home, name: string): Promise<boolean> {
  try {
    return await home.has(name)
  } catch (error) {
    if (isLongshoreError(error)) return true
    throw error
  }
}
