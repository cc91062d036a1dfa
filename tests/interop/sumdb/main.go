// Checks a log that this repository wrote with Go's own sumdb packages, which are
// not ours to change: golang.org/x/mod/sumdb/{note,tlog}.
//
//	sumdb FOLDER
//
// FOLDER holds `vkey`; `checkpoint`, a signed note, with a cosignature that the note
// package does not know; `entries`, one in hex a line; `roots`, the root of every size
// from 0; `inclusion` and `consistency`, one proof a line: index (or old size), size,
// hashes; and the log's tiles. Prints how much held, and fails on the first thing
// that does not.
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	log.SetFlags(0)
	folder := os.Args[1]

	verifier, err := note.NewVerifier(strings.TrimSpace(string(read(folder, "vkey"))))
	check(err, "vkey")
	opened, err := note.Open(read(folder, "checkpoint"), note.VerifierList(verifier))
	check(err, "checkpoint")
	if len(opened.Sigs) != 1 || len(opened.UnverifiedSigs) != 1 {
		log.Fatalf("checkpoint: %d known and %d unknown signatures", len(opened.Sigs), len(opened.UnverifiedSigs))
	}
	text := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(text[1], 10, 64)
	check(err, "size")
	root, err := tlog.ParseHash(text[2])
	check(err, "root")

	var stored hashes
	var leaves []tlog.Hash
	for n, line := range lines(folder, "entries") {
		entry, err := hex.DecodeString(line)
		check(err, "entry")
		leaves = append(leaves, tlog.RecordHash(entry))
		more, err := tlog.StoredHashes(int64(n), entry, &stored)
		check(err, "stored hashes")
		stored = append(stored, more...)
	}
	if int64(len(leaves)) != size {
		log.Fatalf("%d entries, size %d", len(leaves), size)
	}

	var roots []tlog.Hash
	for n, line := range lines(folder, "roots") {
		roots = append(roots, hash(line))
		// The library of this version panics on size 0.
		if n > 0 {
			computed, err := tlog.TreeHash(int64(n), &stored)
			check(err, "tree hash")
			if computed != roots[n] {
				log.Fatalf("root at size %d differs", n)
			}
		}
	}
	if roots[size] != root {
		log.Fatal("the checkpoint has another root")
	}

	inclusion := lines(folder, "inclusion")
	for _, line := range inclusion {
		index, size, proof := parse(line)
		check(tlog.CheckRecord(proof, size, roots[size], index, leaves[index]), line)
	}
	consistency := lines(folder, "consistency")
	for _, line := range consistency {
		old, size, proof := parse(line)
		check(tlog.CheckTree(proof, size, roots[size], old, roots[old]), line)
	}

	tiles := 0
	for _, tile := range tlog.NewTiles(8, 0, size) {
		// This version also lists the partial tiles of all former sizes.
		last := size >> (8 * uint(tile.L)) & 255
		if tile.W < 256 && int64(tile.W) != last {
			continue
		}
		tiles++
		want, err := tlog.ReadTileData(tile, &stored)
		check(err, "tile")
		// Go's paths name the height, those of tlog-tiles do not.
		name := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		if !bytes.Equal(read(folder, name), want) {
			log.Fatalf("%s differs", name)
		}
	}
	fmt.Printf("%d entries, %d inclusion, %d consistency, %d tiles\n",
		len(leaves), len(inclusion), len(consistency), tiles)
}

type hashes []tlog.Hash

func (h *hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, index := range indexes {
		out = append(out, (*h)[index])
	}
	return out, nil
}

func parse(line string) (first, size int64, proof []tlog.Hash) {
	words := strings.Fields(line)
	first, err := strconv.ParseInt(words[0], 10, 64)
	check(err, line)
	size, err = strconv.ParseInt(words[1], 10, 64)
	check(err, line)
	for _, word := range words[2:] {
		proof = append(proof, hash(word))
	}
	return first, size, proof
}

func hash(text string) (h tlog.Hash) {
	bytes, err := hex.DecodeString(text)
	check(err, text)
	copy(h[:], bytes)
	return h
}

func lines(folder, name string) []string {
	var out []string
	scanner := bufio.NewScanner(bytes.NewReader(read(folder, name)))
	for scanner.Scan() {
		out = append(out, scanner.Text())
	}
	check(scanner.Err(), name)
	return out
}

func read(folder, name string) []byte {
	content, err := os.ReadFile(filepath.Join(folder, name))
	check(err, name)
	return content
}

func check(err error, what string) {
	if err != nil {
		log.Fatalf("%s: %v", what, err)
	}
}
