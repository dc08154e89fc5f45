/**
 * Whole frames as values and back, for vectors and fuzzers: the decoders of the overlay, one for
 * each type, behind one function.
 *
 * A router takes frames apart where they lie and never makes such values.
 *
 * @module
 */
import { type CborValue, concatBytes, ProtocolError } from '@longshore/capsule'
import * as control from '../overlay/control-frame.ts'
import * as frames from '../overlay/frame.ts'
import { FrameReader } from '../overlay/frame-reader.ts'
import { FRAME_BYTES_MAX } from '../overlay/limits.ts'
import { readUint32 } from '../store/disk/big-endian.ts'

export interface DecodedFrame {
  readonly type: string
  readonly fields: Readonly<Record<string, unknown>>
}

interface Codec {
  readonly type: number
  decode(frame: Uint8Array): Readonly<Record<string, unknown>>
  encode(fields: never): Uint8Array
}

function controlCodec<TValue extends object>(
  type: number,
  count: number,
  read: (fields: control.Fields) => TValue,
  value: (fields: TValue) => CborValue,
): Codec {
  return {
    type,
    decode: (frame) => {
      const value = read(control.Fields.ofFrame(frame, 0, frame.length, count))
      return Object.fromEntries(Object.entries(value))
    },
    encode: (fields: TValue) => control.encodeControl(type, value(fields)),
  }
}

function namesCodec(type: number): Codec {
  return controlCodec(
    type,
    1,
    (fields) => ({ names: control.readNames(fields) }),
    ({ names }) => control.namesValue(names),
  )
}

type Head = Parameters<typeof frames.dataHead>

function dataCodec(type: number): Codec {
  return {
    type,
    decode: (frame) => ({
      flags: frame[frames.AT_FLAGS],
      hops: frame[frames.AT_HOPS],
      destination: frames.nameAt(frame, frames.AT_TARGET),
      source: frames.nameAt(frame, frames.AT_SOURCE),
      payload: frame.slice(frames.DATA_HEAD_BYTES),
    }),
    encode: (fields: {
      readonly destination: Head[0]
      readonly source: Head[1]
      readonly flags: number
      readonly hops: number
      readonly payload: Uint8Array
    }) => {
      const { destination, source, flags, hops, payload } = fields
      const makeHead = type === frames.DATA ? frames.dataHead : frames.publishedHead
      return concatBytes(makeHead(destination, source, flags, hops, payload.length), payload)
    },
  }
}

const labelled: Codec = {
  type: frames.LABELLED,
  decode: (frame) => ({
    flags: frame[frames.AT_FLAGS],
    hops: frame[frames.AT_HOPS],
    label: readUint32(frame, frames.AT_TARGET),
    payload: frame.slice(frames.LABELLED_HEAD_BYTES),
  }),
  encode: (fields: { label: number; flags: number; hops: number; payload: Uint8Array }) => {
    const { label, flags, hops, payload } = fields
    const frame = new Uint8Array(frames.LABELLED_HEAD_BYTES + payload.length)
    frames.writeLabelledHead(frame, 0, label, flags, hops, payload.length)
    frame.set(payload, frames.LABELLED_HEAD_BYTES)
    return frame
  },
}

const label: Codec = {
  type: frames.LABEL,
  decode: (frame) => ({
    label: readUint32(frame, frames.FRAME_HEAD_BYTES),
    destination: frames.nameAt(frame, frames.FRAME_HEAD_BYTES + 4),
    source: frames.nameAt(frame, frames.FRAME_HEAD_BYTES + 36),
  }),
  encode: (fields: { label: number; destination: Head[0]; source: Head[1] }) =>
    frames.labelFrame(fields.label, fields.destination, fields.source),
}

function numberCodec(type: number, encode: (number: number) => Uint8Array): Codec {
  return {
    type,
    decode: (frame) => ({ number: readUint32(frame, frames.FRAME_HEAD_BYTES) }),
    encode: ({ number }: { number: number }) => encode(number),
  }
}

const unreachable: Codec = {
  type: frames.UNREACHABLE,
  decode: (frame) => ({
    hops: frame[frames.AT_HOPS],
    ...frames.decodeUnreachable(frame, 0, frame.length),
  }),
  encode: ({ hops, ...refusal }: frames.Unreachable & { hops: number }) =>
    frames.unreachableFrame(refusal, hops),
}

const CODECS: Readonly<Record<string, Codec>> = {
  hello: controlCodec(frames.HELLO, 7, control.readHello, control.helloValue),
  goodbye: controlCodec(frames.GOODBYE, 2, control.readGoodbye, control.goodbyeValue),
  ping: numberCodec(frames.PING, (number) => frames.pingFrame(frames.PING, number)),
  pong: numberCodec(frames.PONG, (number) => frames.pingFrame(frames.PONG, number)),
  data: dataCodec(frames.DATA),
  labelled,
  label,
  retire: numberCodec(frames.RETIRE, frames.retireFrame),
  unreachable,
  published: dataCodec(frames.PUBLISHED),
  advertise: controlCodec(frames.ADVERTISE, 3, control.readAdvertise, control.advertiseValue),
  advertised: controlCodec(frames.ADVERTISED, 2, control.readAdvertised, ({ request, names }) =>
    control.advertisedValue(request, names),
  ),
  withdraw: namesCodec(frames.WITHDRAW),
  lookup: controlCodec(frames.LOOKUP, 3, control.readLookup, control.lookupValue),
  found: controlCodec(frames.FOUND, 3, control.readFound, control.foundValue),
  subscribe: namesCodec(frames.SUBSCRIBE),
  unsubscribe: namesCodec(frames.UNSUBSCRIBE),
  gap: namesCodec(frames.GAP),
  trace: controlCodec(frames.TRACE, 3, control.readLookup, control.lookupValue),
  traced: controlCodec(frames.TRACED, 3, control.readTraceAnswer, control.traceAnswerValue),
}

/** The one frame that `bytes` is. @throws {ProtocolError} `FRAME_INVALID` */
export function decodeFrame(bytes: Uint8Array): DecodedFrame {
  let frame: Uint8Array | undefined
  new FrameReader(FRAME_BYTES_MAX).push(bytes, (piece, start, end) => {
    frame = piece.subarray(start, end)
    return false
  })
  if (frame === undefined || frame.length !== bytes.length) {
    throw new ProtocolError('FRAME_INVALID', 'the bytes are not one frame')
  }
  const whole = frame
  frames.checkFrame(whole, 0, whole.length)
  const found = Object.entries(CODECS).find(([, { type }]) => type === whole[frames.AT_TYPE])
  if (found === undefined) throw new ProtocolError('FRAME_INVALID', 'an unknown type')
  return { type: found[0], fields: found[1].decode(whole) }
}

export function encodeFrame({ type, fields }: DecodedFrame): Uint8Array {
  const codec = CODECS[type]
  if (codec === undefined) throw new ProtocolError('FRAME_INVALID', 'an unknown type')
  return codec.encode(fields as never)
}
