/**
 * Every limit of the capsule formats, with its reason. One table, so that an operator can see
 * what a hostile input may cost. Limits are part of the format: never lower one.
 *
 * @module
 */

/** Largest integer in any format: exact in every language that has 64-bit floats (F5). */
export const INTEGER_MAX: number = Number.MAX_SAFE_INTEGER

/** Writer keys of one capsule, one after the other; fits the 32 bits of the writer's anchor. */
export const EPOCH_MAX = 4_294_967_295

export const HASH_BYTES = 32
export const PUBLIC_KEY_BYTES = 32
export const SIGNATURE_BYTES = 64
export const SEED_BYTES = 32
/** Secret, public key and shared secret of X25519. */
export const X25519_BYTES = 32
export const AEAD_KEY_BYTES = 32
export const AEAD_TAG_BYTES = 16

/** FIPS 204, parameter set ML-DSA-44: the post-quantum half of a role (F4). */
export const ML_DSA_44_KEY_BYTES = 1312
export const ML_DSA_44_SIGNATURE_BYTES = 2420

/**
 * Manifests and certificates that a process remembers to have verified, about 100 bytes each: those
 * of the neighbors and of the names in use, many times over.
 */
export const VERIFIED_MESSAGES_MAX = 16_384

/** Length of a branch id other than the main branch, whose id is empty (F15). */
export const BRANCH_ID_BYTES = 16

/** CIDv1 text: 'b' and 58 characters for 36 bytes (F7). */
export const NAME_TEXT_CHARS = 59
/** 16 bytes in base32 without padding. */
export const BRANCH_TEXT_CHARS = 26

/** A manifest is read before anything about its maker is known (F5). */
export const MANIFEST_BODY_BYTES_MAX = 16_384
/** Body, and the fixed COSE frame around it, its ML-DSA-44 countersignature included. */
export const MANIFEST_SIGNED_BYTES_MAX = 18_944
/** Random bytes that keep equal manifests apart (F5). */
export const NONCE_BYTES = 16
/** Nodes need six, and three more for ML-DSA-44; the rest is for uses to come. */
export const MANIFEST_KEYS_MAX = 16
/** Names in one list of a policy; longer lists belong in a domain of their own. */
export const POLICY_NAMES_MAX = 64
export const POLICY_COPIES_MAX = 64
/** UTF-8 bytes of a label's key, and of its value. */
export const LABEL_BYTES_MAX = 256
export const CRIT_MAX = 64

/** Headers are never pruned and are held whole while a proof is checked (F8). */
export const HEADER_BYTES_MAX = 16_384
/** A receiver never buffers more than this before it can verify it (F8). */
export const PAYLOAD_BYTES_MAX = 1_048_576
export const POINTERS_MAX = 64
/** Salt of a blinded payload: 128 bits cannot be guessed (F8). */
export const SALT_BYTES = 16
export const BODY_BYTES_MAX: number = PAYLOAD_BYTES_MAX + SALT_BYTES
/** UTF-8 bytes of the reason in a control entry: a sentence or two, never a document. */
export const REASON_BYTES_MAX = 1024
export const ERASE_RANGES_MAX = 1024
export const MERGE_HEADS_MAX = 64
export const WRITER_CERT_BYTES_MAX = 8192

/** Arrays and maps inside each other in a header's extension values or a manifest's `ext`. */
export const EXTENSION_DEPTH_MAX = 8
/** Hard stop for any CBOR that we decode, counted from the outermost item. */
export const CBOR_DEPTH_MAX = 16

/** A receipt is read whole by a stranger's tool (F25). */
export const RECEIPT_BYTES_MAX = 262_144
/** Larger payloads travel beside the receipt (F25). Body bytes, so salt included. */
export const RECEIPT_BODY_BYTES_MAX = 65_536

/** Hashes of a proof: one per bit of a size, and one to begin with. */
export const PATH_HASHES_MAX = 54

/** Room for the 16 largest cosignatures that C2SP wants a reader to accept (ML-DSA-44). */
export const NOTE_BYTES_MAX = 65_536
/** Each signature by a known key costs a verification. C2SP asks for at least 16. */
export const NOTE_SIGNATURES_MAX = 64
/** UTF-8 bytes of the name in a vkey: as many as an ML-DSA cosignature can commit to (C2SP). */
export const KEY_NAME_BYTES_MAX = 255
/** Branch, epoch, size, root, both signatures and their heads, rounded up. */
export const COMPACT_HEAD_BYTES_MAX = 2_584
/** Certificates in one chain, and cosigners in one receipt. */
export const RECEIPT_CERTS_MAX = 16
export const RECEIPT_COSIGNERS_MAX = 16
export const CERT_BYTES_MAX = 16_384

/** Random bytes that a revocation names. */
export const CERT_SERIAL_BYTES = 16
/** Names in the lists of a certificate, so that with full lists it stays below 16 KiB. */
export const CERT_CAPSULES_MAX = 256
export const CERT_DOMAINS_MAX = 64
/** Certificates of one chain: each costs two signatures to verify. */
export const CHAIN_CERTS_MAX = 8
/** Further links below a certificate; a longer chain would be refused anyway. */
export const CERT_DEPTH_MAX: number = CHAIN_CERTS_MAX - 1
/** Eight short certificates and the largest manifests that are at all likely. */
export const CHAIN_BYTES_MAX = 131_072
/** A route that its node does not renew is gone after a day (F27). */
export const RT_CERT_LIFE_S_MAX = 86_400
/** What RFC 9266 exports of a TLS connection. */
export const TLS_EXPORTER_BYTES = 32
/** Cannot be guessed, and is never drawn twice. */
export const ADVERTISEMENT_NONCE_BYTES = 32
/** Five hashes, a time, and the COSE frame. */
export const ADVERTISEMENT_BYTES_MAX = 4096

/** Entries of one package: as many as a tile is wide (C2SP tlog-mirror). */
export const PACKAGE_ENTRIES_MAX = 256
/** Hashes of one package's proof (C2SP tlog-mirror). */
export const PACKAGE_HASHES_MAX = 63
/** 256 of the largest headers with their lengths, the number of hashes, the hashes. */
export const PACKAGE_BYTES_MAX: number =
  PACKAGE_ENTRIES_MAX * (2 + HEADER_BYTES_MAX) + 1 + PACKAGE_HASHES_MAX * HASH_BYTES

/** A signed manifest, two compact heads and a path. */
export const EVIDENCE_BYTES_MAX = 26_112

/** Ways to reach one node: a few networks, each with two families of addresses. */
export const TICKET_ADDRESSES_MAX = 8
/** A host name of the greatest length, a scheme and a port. */
export const TICKET_ADDRESS_CHARS_MAX = 270
