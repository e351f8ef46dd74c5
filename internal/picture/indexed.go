package picture

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"
)

// maxPixelBytes is how large the PNG of a picture may be.
const maxPixelBytes = 300_000

// encodePNG encodes an image with all of its colours, in a palette if they are up to 256. Where the file would have
// more than most bytes, it takes as many colours as fit.
func encodePNG(img *image.NRGBA, most int) ([]byte, error) {
	all := countColors(img)
	if len(all) > 256 {
		if data, err := compress(img); err != nil || len(data) <= most {
			return data, err
		}
	}

	var data []byte
	for _, n := range []int{256, 128, 64, 32, 16, 8} {
		var err error
		if data, err = compress(index(img, choosePalette(slices.Clone(all), n))); err != nil || len(data) <= most {
			return data, err
		}
	}

	return data, nil
}

func compress(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.DefaultCompression}
	if err := encoder.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("encoding a PNG: %w", err)
	}

	return b.Bytes(), nil
}

// colorCount is a colour, and how many pixels have it.
type colorCount struct {
	color color.NRGBA
	n     int
}

func pixel(img *image.NRGBA, i int) color.NRGBA {
	p := img.Pix[4*i:][:4]
	return color.NRGBA{R: p[0], G: p[1], B: p[2], A: p[3]}
}

// countColors returns the colours of an image whose rows follow each other without gaps.
func countColors(img *image.NRGBA) []colorCount {
	counts := map[color.NRGBA]int{}
	pixels := len(img.Pix) / 4
	for i := 0; i < pixels; {
		first := pixel(img, i)
		start := i
		for i++; i < pixels && pixel(img, i) == first; i++ {
		}
		counts[first] += i - start
	}

	all := make([]colorCount, 0, len(counts))
	for c, n := range counts {
		all = append(all, colorCount{c, n})
	}
	slices.SortFunc(all, func(a, b colorCount) int { return compareColors(a.color, b.color) }) // not as the map has them

	return all
}

func compareColors(a, b color.NRGBA) int {
	return cmp.Or(cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B), cmp.Compare(a.A, b.A))
}

// choosePalette divides the colours among at most n boxes, and returns the boxes. The colours of most pixels, such as
// that of the page, have boxes of their own, and the others are divided by median cut. Source: P. Heckbert, Color Image
// Quantization for Frame Buffer Display, SIGGRAPH 1982.
func choosePalette(all []colorCount, n int) [][]colorCount {
	n = min(n, len(all))
	slices.SortStableFunc(all, func(a, b colorCount) int { return b.n - a.n })
	var boxes [][]colorCount
	for i := range min(n/4, len(all)-1) {
		boxes = append(boxes, all[i:i+1])
	}

	spreads := make([]float64, len(boxes), n)
	boxes = append(boxes, all[len(boxes):])
	spreads = append(spreads, spread(boxes[len(boxes)-1]))

	for len(boxes) < n {
		widest := 0
		for i, s := range spreads {
			if s > spreads[widest] {
				widest = i
			}
		}

		a, b := cut(boxes[widest])
		boxes[widest], spreads[widest] = a, spread(a)
		boxes, spreads = append(boxes, b), append(spreads, spread(b))
	}

	return boxes
}

// channels are the numbers that tell colours apart.
func channels(c color.NRGBA) [4]int { return [4]int{int(c.R), int(c.G), int(c.B), int(c.A)} }

// widestChannel returns the channel in which colours differ most, and by how much.
func widestChannel(box []colorCount) (channel, width int) {
	low, high := channels(box[0].color), channels(box[0].color)
	for _, c := range box {
		for k, v := range channels(c.color) {
			low[k], high[k] = min(low[k], v), max(high[k], v)
		}
	}

	for k := range low {
		if high[k]-low[k] > width {
			channel, width = k, high[k]-low[k]
		}
	}

	return channel, width
}

// spread tells how much would be seen of one colour for a whole box.
func spread(box []colorCount) float64 {
	pixels := 0
	for _, c := range box {
		pixels += c.n
	}

	_, width := widestChannel(box)
	return float64(width) * float64(width) * float64(min(pixels, 2000)) // a large plain is not the only thing to see
}

// cut divides a box where half of its pixels are on each side.
func cut(box []colorCount) (a, b []colorCount) {
	k, _ := widestChannel(box)
	slices.SortFunc(box, func(a, b colorCount) int {
		return cmp.Or(channels(a.color)[k]-channels(b.color)[k], compareColors(a.color, b.color))
	})

	all, before, at := 0, 0, 0
	for _, c := range box {
		all += c.n
	}
	for at < len(box)-1 && (at == 0 || 2*(before+box[at].n) <= all) {
		before += box[at].n
		at++
	}

	return box[:at], box[at:]
}

// index gives each pixel the colour of its box that most pixels have.
func index(img *image.NRGBA, boxes [][]colorCount) *image.Paletted {
	numbers := map[color.NRGBA]uint8{}
	var palette color.Palette
	for i, box := range boxes {
		most := box[0]
		for _, c := range box {
			numbers[c.color] = uint8(i)
			if c.n > most.n {
				most = c
			}
		}
		palette = append(palette, most.color)
	}

	indexed := image.NewPaletted(img.Bounds(), palette)
	last := pixel(img, 0)
	number := numbers[last]
	for i := range indexed.Pix {
		if c := pixel(img, i); c != last {
			last, number = c, numbers[c]
		}
		indexed.Pix[i] = number
	}

	return indexed
}
