// log_reader reads a C2SP tlog-tiles log as a stranger would, with golang.org/x/mod/sumdb and nothing of ours:
// opens the checkpoint, rebuilds the root from the entries, compares every hash tile byte for byte, proves
// every entry and the growth between kept checkpoints.
//
//	log_reader BASE VKEYFILE [SIZE | PATH.tlog-proof ...]
//
// BASE is the address or the folder that holds log/; SIZE are kept checkpoints to ask for (a folder is listed);
// PATH is a tlog-proof below BASE whose extra line holds the entry.
// LOG_READER_LIST=FILE: names the files that were read.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight, tileWidth = 8, 256

type reader struct {
	base     string
	verifier note.Verifier
	stored   []tlog.Hash // in the order of tlog.StoredHashIndex, made from the entries alone
	tiles    int
	proofs   int
	seen     []string
}

func fail(format string, args ...interface{}) {
	fmt.Printf("log_reader: "+format+"\n", args...)
	os.Exit(1)
}

func (r *reader) get(path string) ([]byte, error) {
	if !strings.Contains(r.base, "://") {
		data, err := os.ReadFile(filepath.Join(r.base, path))
		if err == nil {
			r.seen = append(r.seen, path)
		}
		return data, err
	}
	response, err := http.Get(strings.TrimSuffix(r.base, "/") + "/" + path)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != 200 {
		return nil, fmt.Errorf("%s: %s", path, response.Status)
	}
	return io.ReadAll(response.Body)
}

// tlog.HashReader over what was rebuilt.
func (r *reader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x >= int64(len(r.stored)) {
			return nil, fmt.Errorf("hash %d is not there", x)
		}
		out[i] = r.stored[x]
	}
	return out, nil
}

// checkpoint opens a signed note and returns size and root.
func (r *reader) checkpoint(path string) tlog.Tree {
	data, err := r.get(path)
	if err != nil {
		fail("%v", err)
	}
	return r.note(path, data)
}

func (r *reader) note(path string, data []byte) tlog.Tree {
	n, err := note.Open(data, note.VerifierList(r.verifier))
	if err != nil {
		fail("%s: %v", path, err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		fail("%s: not origin, size and root in three lines", path)
	}
	if lines[0] != r.verifier.Name() {
		fail("%s: origin %q, the key is named %q", path, lines[0], r.verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] || size < 0 {
		fail("%s: size %q", path, lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		fail("%s: root %q", path, lines[2])
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree
}

// tilePath is that of C2SP: groups of three digits, all but the last with an x before it.
func tilePath(level string, n int64, width int) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	if width < tileWidth {
		path += fmt.Sprintf(".p/%d", width)
	}
	return "log/tile/" + level + "/" + path
}

// tile fetches a tile of the given width; a partial one may have been removed once the full one is there.
func (r *reader) tile(level string, n int64, width int) ([]byte, bool) {
	path := tilePath(level, n, width)
	data, err := r.get(path)
	if err == nil {
		return data, true
	}
	if data, full := r.get(tilePath(level, n, tileWidth)); full == nil && width < tileWidth {
		return data, false
	}
	fail("%v", err)
	return nil, false
}

func (r *reader) entries(size int64) {
	for n := int64(0); n*tileWidth < size; n++ {
		width := int(size - n*tileWidth)
		if width > tileWidth {
			width = tileWidth
		}
		data, exact := r.tile("entries", n, width)
		for i := 0; i < width; i++ {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				fail("bundle %d ends within entry %d", n, i)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			r.add(n*tileWidth+int64(i), data[2:end])
			data = data[end:]
		}
		if exact && len(data) != 0 {
			fail("bundle %d has %d bytes after its last entry", n, len(data))
		}
	}
}

// edge compares the unfinished entry bundle of a smaller tree with what was rebuilt.
func (r *reader) edge(size int64) {
	n, width := size/tileWidth, int(size%tileWidth)
	if width == 0 {
		return
	}
	data, exact := r.tile("entries", n, width)
	for i := 0; i < width; i++ {
		end := 2
		if len(data) >= 2 {
			end += int(binary.BigEndian.Uint16(data))
		}
		if len(data) < end {
			fail("bundle %d of size %d ends within entry %d", n, size, i)
		}
		if tlog.RecordHash(data[2:end]) != r.stored[tlog.StoredHashIndex(0, n*tileWidth+int64(i))] {
			fail("bundle %d of size %d differs at entry %d", n, size, i)
		}
		data = data[end:]
	}
	if exact && len(data) != 0 {
		fail("bundle %d of size %d has %d bytes after its last entry", n, size, len(data))
	}
}

func (r *reader) add(index int64, entry []byte) {
	hashes, err := tlog.StoredHashes(index, entry, r)
	if err != nil {
		fail("entry %d: %v", index, err)
	}
	r.stored = append(r.stored, hashes...)
}

// hashTiles compares each tile of a tree of that size, whatever its level.
func (r *reader) hashTiles(size int64) {
	for level := 0; size > 0; level++ {
		for n := int64(0); n*tileWidth < size; n++ {
			width := int(size - n*tileWidth)
			if width > tileWidth {
				width = tileWidth
			}
			r.hashTile(tlog.Tile{H: tileHeight, L: level, N: n, W: width})
		}
		size /= tileWidth
	}
}

func (r *reader) hashTile(t tlog.Tile) {
	want, err := tlog.ReadTileData(t, r)
	if err != nil {
		fail("tile %v: %v", t, err)
	}
	have, exact := r.tile(strconv.Itoa(t.L), t.N, t.W)
	if len(have) < len(want) || !bytes.Equal(have[:len(want)], want) || (exact && len(have) != len(want)) {
		fail("%s is not what the entries give", tilePath(strconv.Itoa(t.L), t.N, t.W))
	}
	r.tiles++
}

func (r *reader) root(size int64) tlog.Hash {
	if size == 0 {
		return tlog.Hash{}
	}
	root, err := tlog.TreeHash(size, r)
	if err != nil {
		fail("root of %d: %v", size, err)
	}
	return root
}

func (r *reader) proveEntries(tree tlog.Tree) {
	for i := int64(0); i < tree.N; i++ {
		proof, err := tlog.ProveRecord(tree.N, i, r)
		if err != nil {
			fail("entry %d: %v", i, err)
		}
		leaf := r.stored[tlog.StoredHashIndex(0, i)]
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, i, leaf); err != nil {
			fail("entry %d: %v", i, err)
		}
	}
}

// growth proves each kept checkpoint against the next one and the newest.
func (r *reader) growth(kept []tlog.Tree) {
	sort.Slice(kept, func(i, j int) bool { return kept[i].N < kept[j].N })
	newest := kept[len(kept)-1]
	for i := 0; i+1 < len(kept); i++ {
		for _, later := range []tlog.Tree{kept[i+1], newest} {
			proof, err := tlog.ProveTree(later.N, kept[i].N, r)
			if err != nil {
				fail("growth from %d to %d: %v", kept[i].N, later.N, err)
			}
			if err := tlog.CheckTree(proof, later.N, later.Hash, kept[i].N, kept[i].Hash); err != nil {
				fail("growth from %d to %d: %v", kept[i].N, later.N, err)
			}
		}
	}
}

// keptSizes are those named, and in a folder all that lie there (a name with a dot is not a note).
func keptSizes(base string, named []string) []string {
	files, _ := os.ReadDir(filepath.Join(base, "log/checkpoints"))
	for _, f := range files {
		if !strings.Contains(f.Name(), ".") {
			named = append(named, f.Name())
		}
	}
	return named
}

// proof checks a C2SP tlog-proof file whose extra line is the entry.
func (r *reader) proof(path string) {
	data, err := r.get(path)
	if err != nil {
		fail("%v", err)
	}
	parts := strings.SplitN(string(data), "\n\n", 2)
	lines := strings.Split(parts[0], "\n")
	if len(parts) != 2 || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" ||
		!strings.HasPrefix(lines[1], "extra ") || !strings.HasPrefix(lines[2], "index ") {
		fail("%s: not a tlog-proof with extra and index", path)
	}
	entry, err := base64.StdEncoding.Strict().DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		fail("%s: extra: %v", path, err)
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		fail("%s: index: %v", path, err)
	}
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(hash) != tlog.HashSize {
			fail("%s: hash %q", path, line)
		}
		var h tlog.Hash
		copy(h[:], hash)
		proof = append(proof, h)
	}
	tree := r.note(path, []byte(parts[1]))
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
		fail("%s: %v", path, err)
	}
	r.proofs++
}

func main() {
	if len(os.Args) < 3 {
		fmt.Println("usage: log_reader BASE VKEYFILE [SIZE ...]")
		os.Exit(2)
	}
	vkey, err := os.ReadFile(os.Args[2])
	if err != nil {
		fail("%v", err)
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(vkey)))
	if err != nil {
		fail("%s: %v", os.Args[2], err)
	}
	r := &reader{base: os.Args[1], verifier: verifier}
	newest := r.checkpoint("log/checkpoint")
	if newest.N < 1 {
		fail("the log is empty")
	}
	r.entries(newest.N)
	if r.root(newest.N) != newest.Hash {
		fail("the entries give another root than the checkpoint of %d", newest.N)
	}
	r.hashTiles(newest.N)
	r.proveEntries(newest)
	kept := []tlog.Tree{newest}
	var named []string
	for _, name := range os.Args[3:] {
		if strings.HasSuffix(name, ".tlog-proof") {
			r.proof(name)
		} else {
			named = append(named, name)
		}
	}
	for _, name := range keptSizes(r.base, named) {
		tree := r.checkpoint("log/checkpoints/" + name)
		if strconv.FormatInt(tree.N, 10) != name || tree.N > newest.N || tree.N < 1 {
			fail("kept checkpoint %s is of size %d, the newest of %d", name, tree.N, newest.N)
		}
		if r.root(tree.N) != tree.Hash {
			fail("the entries give another root than the kept checkpoint of %d", tree.N)
		}
		r.hashTiles(tree.N)
		r.edge(tree.N)
		kept = append(kept, tree)
	}
	r.growth(kept)
	if list := os.Getenv("LOG_READER_LIST"); list != "" {
		if err := os.WriteFile(list, []byte(strings.Join(r.seen, "\n")+"\n"), 0o644); err != nil {
			fail("%v", err)
		}
	}
	fmt.Printf("log_reader: %d entries, %d tiles, %d kept checkpoints, %d proof files, all proved; root %v\n",
		newest.N, r.tiles, len(kept)-1, r.proofs, newest.Hash)
}
