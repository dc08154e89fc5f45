import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Arguments, parseArguments } from './parse-arguments.ts'

function parse(line: string): Arguments {
  const parsed = parseArguments(line.split(' '))
  assert.equal(parsed.kind, 'run', parsed.kind === 'problem' ? parsed.message : undefined)
  assert.ok(parsed.kind === 'run')
  return parsed.args
}

function problem(...argv: string[]): { message: string; hint: string } {
  const parsed = parseArguments(argv)
  assert.ok(parsed.kind === 'problem', `${argv.join(' ')} was accepted`)
  return { message: parsed.message, hint: parsed.hint }
}

test('CL2: options may stand anywhere and in four spellings', () => {
  for (const line of [
    'receipt NAME 7 --output FILE --home DIR',
    '--home DIR receipt --output=FILE NAME 7',
    '--home=DIR receipt NAME -o FILE 7',
    'receipt -oFILE NAME --home DIR 7',
  ]) {
    const args = parse(line)
    assert.equal(args.command.name, 'receipt')
    assert.deepEqual(args.positionals, ['NAME', '7'])
    assert.equal(args.text('output'), 'FILE')
    assert.equal(args.text('home'), 'DIR')
  }
})

test('CL2: after -- everything is an argument; a lone hyphen is one too', () => {
  assert.deepEqual(parse('append NAME - -- --lines -x').positionals, ['NAME', '-', '--lines', '-x'])
  assert.deepEqual(parse('create --label a=b=c --label d=').all('label'), ['a=b=c', 'd='])
  assert.equal(parse('create --label=--x=1').text('label'), '--x=1')
})

test('CL2 CL7: an option of a command before its name is refused', () => {
  assert.match(problem('--raw', 'read', 'NAME').message, /before the command/)
})

test('CL1: commands of two words', () => {
  assert.equal(parse('id new --label work').command.name, 'id new')
  assert.equal(parse('id --json list').command.name, 'id list')
  assert.match(problem('id').hint, /id new, id list, id show/)
  assert.equal(problem('id', 'lst').hint.startsWith('Did you mean id list?'), true)
})

test('CL3: help and version win over everything else', () => {
  const help = parseArguments(['receipt', '--bogus', '-h'])
  assert.ok(help.kind === 'help')
  assert.equal(help.command?.name, 'receipt')
  for (const argv of [
    ['--help'],
    ['help'],
    ['--home', 'x', '-h'],
    ['nothing', '-h'],
    ['help', 'id'],
  ]) {
    const parsed = parseArguments(argv)
    assert.ok(parsed.kind === 'help')
    assert.equal(parsed.command, undefined)
  }
  const wrong = parseArguments(['help', 'apend'])
  assert.ok(wrong.kind === 'problem')
  assert.match(wrong.hint, /^Did you mean append/)
  const two = parseArguments(['help', 'id', 'show'])
  assert.equal(two.kind === 'help' && two.command?.name, 'id show')
  assert.equal(parseArguments(['--version']).kind, 'version')
  assert.equal(parseArguments(['append', '--', '--version']).kind, 'run')
})

test('CL6: values are checked by type', () => {
  for (const bad of ['-1', '01', '1.5', '1e3', '', '9007199254740993', '٣']) {
    problem('read', 'NAME', `--from=${bad}`)
    problem('receipt', 'NAME', '--', bad)
  }
  assert.equal(parse('read NAME --from 0').integer('from'), 0)
  assert.equal(parse('read NAME --to 9007199254740991').integer('to'), 9007199254740991)
  for (const bad of ['0', '64k', '1MB', 'K', '-1K', '99999999999G']) {
    problem('append', 'NAME', '--whole', `--chunk=${bad}`)
  }
  problem('create', '--label', 'novalue')
  problem('create', '--label', '=value')
  assert.match(problem('append', 'NAME', '--level', 'durable').hint, /stored, buffered/)
  assert.equal(problem('completion', 'bsh').hint, 'Did you mean bash?')
  assert.match(problem('read', 'NAME', '--from').message, /needs a value/)
  assert.match(problem('read', 'NAME', '--raw=1').message, /takes no value/)
  assert.match(problem('append', 'NAME', '').hint, /variable/)
})

test('CL6: once unless the reference says more, and only together with what fits', () => {
  assert.match(problem('read', 'NAME', '--from', '1', '--from', '1').message, /twice/)
  problem('read', 'NAME', '--last', '1', '--from', '0')
  problem('read', 'NAME', '--since', '1h', '--from', '0')
  problem('read', 'NAME', '--raw', '--json')
  problem('append', 'NAME', '--lines', '--whole')
  problem('append', 'NAME', '--chunk', '64K')
  problem('append', 'NAME', '--json-lines', '--time-unit', 'ms')
  assert.match(problem('recover', 'NAME', '--reason', 'x').message, /--assume-only-copy/)
  assert.match(problem('recover', 'NAME', '--assume-only-copy').message, /--reason/)
})

test('CL6: arguments are counted', () => {
  assert.match(problem('show').message, /needs NAME/)
  assert.match(problem('receipt', 'NAME').message, /needs INDEX/)
  assert.match(problem('show', 'NAME', 'more').message, /"more"/)
  assert.match(problem('erase', 'NAME').message, /needs INDEX/)
  assert.deepEqual(parse('erase NAME 1 2 3').positionals, ['NAME', '1', '2', '3'])
})

test('CL7: the nearest command or option is named', () => {
  assert.match(problem('apend', 'x').hint, /Did you mean append\?/)
  assert.match(problem('rec', 'x').hint, /See/)
  assert.match(problem('verify', '--nmae', 'x').hint, /--name/)
  assert.match(problem('append', 'NAME', '--level', 'store').hint, /stored/)
  assert.equal(problem('xyzzy').hint, 'See `longshore --help`.')
  assert.equal(problem().message, 'no command')
})

test('CL10: how errors are wanted is known even if the rest is wrong', () => {
  const parsed = parseArguments(['bogus', '--json'])
  assert.ok(parsed.kind === 'problem' && parsed.json)
})
