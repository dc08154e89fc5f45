// A second opinion on Longshore's files by software that others wrote: Debian's
// golang.org/x/mod/sumdb/note and tlog check the signed note, the tree and the proofs. Go 1.19.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run main.go directory DIR VKEY
//	GO111MODULE=off GOPATH=/usr/share/gocode go run main.go receipt FILE VKEY
//
// Paths of tiles, the three lines of a checkpoint and the receipt's frame are read here, from the
// C2SP texts. It prints one line of what it found and exits 0, or says why not and exits 1.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8 // 256 hashes

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: main (directory DIR | receipt FILE) VKEY")
		os.Exit(2)
	}
	var found string
	var err error
	switch os.Args[1] {
	case "directory":
		found, err = checkDirectory(os.Args[2], os.Args[3])
	case "receipt":
		found, err = checkReceipt(os.Args[2], os.Args[3])
	default:
		err = errors.New("unknown command")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
	fmt.Println(found)
}

type checkpoint struct {
	size int64
	root tlog.Hash
}

// openCheckpoint verifies the note with the key and reads its three lines.
func openCheckpoint(text []byte, vkey string) (checkpoint, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return checkpoint{}, err
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return checkpoint{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return checkpoint{}, errors.New("a checkpoint has three lines")
	}
	if lines[0] != verifier.Name() {
		return checkpoint{}, errors.New("the origin is not the name of the key")
	}
	size, err := parseDecimal(lines[1])
	if err != nil {
		return checkpoint{}, err
	}
	root, err := parseHash(lines[2])
	return checkpoint{size, root}, err
}

func parseDecimal(text string) (int64, error) {
	value, err := strconv.ParseInt(text, 10, 54)
	if err == nil && strconv.FormatInt(value, 10) != text || value < 0 {
		err = fmt.Errorf("not a decimal number: %q", text)
	}
	return value, err
}

func parseHash(text string) (tlog.Hash, error) {
	var hash tlog.Hash
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err == nil && len(raw) != len(hash) {
		err = errors.New("a hash has 32 bytes")
	}
	copy(hash[:], raw)
	return hash, err
}

// tilePath is the path of a tile by C2SP tlog-tiles; level is a number or "entries".
func tilePath(level string, n int64, width int) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	if width < 1<<tileHeight {
		path += fmt.Sprintf(".p/%d", width)
	}
	return filepath.Join("tile", level, path)
}

// hashes keeps every hash that tlog stores for the entries, in its order.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(h)) {
			return nil, errors.New("a hash beyond the tree")
		}
		found[i] = h[index]
	}
	return found, nil
}

// readEntries reads all entry bundles: 16-bit big-endian lengths before the entries.
func readEntries(dir string, size int64) ([][]byte, error) {
	var entries [][]byte
	for n := int64(0); int64(len(entries)) < size; n++ {
		width := 256
		if rest := size - n*256; rest < 256 {
			width = int(rest)
		}
		bundle, err := os.ReadFile(filepath.Join(dir, tilePath("entries", n, width)))
		if err != nil {
			return nil, err
		}
		for i := 0; i < width; i++ {
			if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
				return nil, errors.New("an entry bundle ends too early")
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			entries = append(entries, bundle[2:end])
			bundle = bundle[end:]
		}
		if len(bundle) != 0 {
			return nil, errors.New("bytes after the last entry of a bundle")
		}
	}
	return entries, nil
}

// tileReader reads tiles from the directory for tlog.TileHashReader, which authenticates them.
type tileReader struct{ dir string }

func (r tileReader) Height() int                         { return tileHeight }
func (r tileReader) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		path := tilePath(strconv.Itoa(tile.L), tile.N, tile.W)
		content, err := os.ReadFile(filepath.Join(r.dir, path))
		if err != nil {
			return nil, err
		}
		data[i] = content
	}
	return data, nil
}

func checkDirectory(dir, vkey string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return "", err
	}
	head, err := openCheckpoint(text, vkey)
	if err != nil {
		return "", err
	}
	entries, err := readEntries(dir, head.size)
	if err != nil {
		return "", err
	}
	var stored hashes
	for index, entry := range entries {
		more, err := tlog.StoredHashes(int64(index), entry, stored)
		if err != nil {
			return "", err
		}
		stored = append(stored, more...)
	}
	root, err := tlog.TreeHash(head.size, stored)
	if err != nil {
		return "", err
	}
	if root != head.root {
		return "", errors.New("the entries have another root than the checkpoint")
	}
	tiles, err := checkTiles(dir, head.size, stored)
	if err != nil {
		return "", err
	}
	proofs, err := checkProofs(dir, head, entries, stored)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("ok size=%d tiles=%d proofs=%d", head.size, tiles, proofs), nil
}

// checkTiles compares every tile that the size demands with the hashes of the entries.
func checkTiles(dir string, size int64, stored hashes) (int, error) {
	tiles := tlog.NewTiles(tileHeight, 0, size)
	count := 0
	for _, tile := range tiles {
		// NewTiles also lists every width that the tile once had: keep the last.
		if final := size>>(tileHeight*tile.L) - tile.N<<tileHeight; final < 256 && int64(tile.W) != final {
			continue
		}
		want, err := tlog.ReadTileData(tile, stored)
		if err != nil {
			return 0, err
		}
		path := tilePath(strconv.Itoa(tile.L), tile.N, tile.W)
		got, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(got, want) {
			return 0, fmt.Errorf("%s holds other hashes", path)
		}
		count++
	}
	return count, nil
}

// checkProofs makes proofs from the files alone, as a client would, and checks them.
func checkProofs(dir string, head checkpoint, entries [][]byte, stored hashes) (int, error) {
	files := tlog.TileHashReader(tlog.Tree{N: head.size, Hash: head.root}, tileReader{dir})
	step := head.size/50 + 1
	count := 0
	for index := int64(0); index < head.size; index += step {
		inclusion, err := tlog.ProveRecord(head.size, index, files)
		if err != nil {
			return 0, err
		}
		leaf := tlog.RecordHash(entries[index])
		if err := tlog.CheckRecord(inclusion, head.size, head.root, index, leaf); err != nil {
			return 0, err
		}
		consistency, err := tlog.ProveTree(head.size, index+1, files)
		if err != nil {
			return 0, err
		}
		old, err := tlog.TreeHash(index+1, stored)
		if err != nil {
			return 0, err
		}
		if err := tlog.CheckTree(consistency, head.size, head.root, index+1, old); err != nil {
			return 0, err
		}
		count += 2
	}
	return count, nil
}

func checkReceipt(file, vkey string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	end := bytes.Index(text, []byte("\n\n"))
	if end < 0 {
		return "", errors.New("no empty line")
	}
	lines := strings.Split(string(text[:end]), "\n")
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" ||
		!strings.HasPrefix(lines[1], "extra ") || !strings.HasPrefix(lines[2], "index ") {
		return "", errors.New("not a receipt")
	}
	index, err := parseDecimal(lines[2][len("index "):])
	if err != nil {
		return "", err
	}
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := parseHash(line)
		if err != nil {
			return "", err
		}
		proof = append(proof, hash)
	}
	head, err := openCheckpoint(text[end+2:], vkey)
	if err != nil {
		return "", err
	}
	extra, err := base64.StdEncoding.Strict().DecodeString(lines[1][len("extra "):])
	if err != nil {
		return "", err
	}
	header, err := headerOf(extra)
	if err != nil {
		return "", err
	}
	leaf := tlog.RecordHash(header)
	if err := tlog.CheckRecord(proof, head.size, head.root, index, leaf); err != nil {
		return "", err
	}
	return fmt.Sprintf("ok size=%d index=%d", head.size, index), nil
}

// headerOf is the byte string under "header" in the CBOR map of a receipt's extra (RFC 8949).
func headerOf(extra []byte) ([]byte, error) {
	major, count, rest, err := cborHead(extra)
	if err != nil || major != 5 {
		return nil, errors.New("the extra is not a map")
	}
	for ; count > 0; count-- {
		key, after, err := cborString(rest, 3)
		if err != nil {
			return nil, err
		}
		if string(key) == "header" {
			header, _, err := cborString(after, 2)
			return header, err
		}
		if rest, err = cborSkip(after, 0); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("no header in the extra")
}

var errCBOR = errors.New("malformed CBOR")

func cborHead(b []byte) (major byte, argument uint64, rest []byte, err error) {
	if len(b) == 0 {
		return 0, 0, nil, errCBOR
	}
	major, info := b[0]>>5, b[0]&31
	if info < 24 {
		return major, uint64(info), b[1:], nil
	}
	width := 1 << (info & 3)
	if info > 27 || len(b) < 1+width {
		return 0, 0, nil, errCBOR
	}
	for _, digit := range b[1 : 1+width] {
		argument = argument<<8 | uint64(digit)
	}
	return major, argument, b[1+width:], nil
}

func cborString(b []byte, wanted byte) (content, rest []byte, err error) {
	major, length, rest, err := cborHead(b)
	if err != nil || major != wanted || length > uint64(len(rest)) {
		return nil, nil, errCBOR
	}
	return rest[:length], rest[length:], nil
}

func cborSkip(b []byte, depth int) ([]byte, error) {
	major, argument, rest, err := cborHead(b)
	switch {
	case err != nil || depth > 8:
		return nil, errCBOR
	case major < 2:
		return rest, nil
	case major < 4 && argument <= uint64(len(rest)):
		return rest[argument:], nil
	case major == 4 && argument <= uint64(len(rest)):
		for ; argument > 0 && err == nil; argument-- {
			rest, err = cborSkip(rest, depth+1)
		}
		return rest, err
	}
	return nil, errCBOR
}
