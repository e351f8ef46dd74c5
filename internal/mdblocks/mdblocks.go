// Package mdblocks extracts the fenced blocks from Markdown, so that tests can try what the
// documents show.
package mdblocks

import (
	"fmt"
	"os"
	"strings"
)

// Block is a fenced block.
type Block struct {
	Language string // the text after the opening fence, empty for none
	Text     string // ends in a newline
	File     string
	Line     int    // of the first line of Text, from 1
	Heading  string // the nearest heading above, without its signs
}

// Name returns the place of a block, for messages.
func (b Block) Name() string { return fmt.Sprintf("%s:%d (%s)", b.File, b.Line, b.Language) }

// Read returns the blocks of a file, in order. A block without an end is an error.
func Read(path string) ([]Block, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading a document: %w", err)
	}

	const fence = "```"
	var blocks []Block
	var open *Block
	no, heading := 0, ""

	for line := range strings.Lines(string(text)) {
		no++
		language, isFence := strings.CutPrefix(line, fence)

		switch {
		case isFence && open == nil:
			open = &Block{Language: strings.TrimSpace(language), File: path, Line: no + 1, Heading: heading}
		case isFence:
			blocks, open = append(blocks, *open), nil
		case open != nil:
			open.Text += line
		case strings.HasPrefix(line, "#"):
			heading = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
	}

	if open != nil {
		return nil, fmt.Errorf("the block at %s has no end", open.Name())
	}

	return blocks, nil
}
