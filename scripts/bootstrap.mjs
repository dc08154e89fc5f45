/**
 * Sets the clone up once, then runs a script with the pinned Node.
 *
 *     node scripts/bootstrap.mjs scripts/test.ts [argument...]
 *     node scripts/bootstrap.mjs --setup-only
 *
 * Plain JavaScript without dependencies: it must run on any Node from 18 on, before anything is
 * installed. Idempotent, and safe to start from several terminals at once. Everything it says
 * goes to stderr, so that the script it runs owns stdout. `.npmrc` switches npm's own hooks off,
 * which is why every command of package.json starts here.
 *
 * @module
 */
import { spawn, spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SetupError, setUp } from './bootstrap/set-up.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/** A terminal sends SIGINT to the whole group, so the child already has it. */
const FORWARDED = process.stdin.isTTY ? ['SIGTERM', 'SIGHUP'] : ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Becomes, as far as a caller can see, `node script ...args`. */
function run(node, args) {
  const path = [join(root, 'node_modules', '.bin'), process.env.PATH].join(
    process.platform === 'win32' ? ';' : ':',
  )
  // Taking the types out of TypeScript is most of what a process needs to start: done once.
  const cache = join(root, 'node_modules', '.cache', 'longshore')
  const env = { NODE_COMPILE_CACHE: cache, ...process.env, PATH: path }
  const child = spawn(node, args, { stdio: 'inherit', env })
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal))
  if (process.stdin.isTTY) process.on('SIGINT', () => {})
  child.on('error', (error) => fail(new SetupError(`${node} does not start: ${error.message}`)))
  child.on('exit', (code, signal) => {
    process.exit(signal === null ? code : 128 + constants.signals[signal])
  })
}

function fail(error) {
  if (!(error instanceof SetupError)) throw error
  process.stderr.write(`longshore: ${error.message}\n`)
  process.exit(3)
}

const args = process.argv.slice(2)
if (args.length === 0) {
  process.stderr.write('usage: node scripts/bootstrap.mjs --setup-only | SCRIPT [ARGUMENT...]\n')
  process.exit(2)
}
try {
  const node = await setUp(root)
  // Without it everything works, only slower.
  spawnSync(node, [join(root, 'scripts', 'bundle.ts')], { stdio: ['ignore', 2, 2] })
  if (args[0] !== '--setup-only') run(node, args)
} catch (error) {
  fail(error)
}
