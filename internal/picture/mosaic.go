package picture

import (
	"image"
	"image/color"
	"iter"
	"math"
)

// tile is a ring filled with one colour. Tiles of a mosaic may share edges and may overlap.
type tile struct {
	ring  []point
	color color.NRGBA
	// behind fills what other tiles leave free.
	behind bool
}

// behindWeight is how much a tile behind others counts where they are.
const behindWeight = 1.0 / 1024

// mosaic samples tiles by area: a pixel has the mean colour of the tiles that cover it, each by the share of the pixel
// that it covers. Tiles that share an edge have no seam, and tiles smaller than a pixel make no moiré.
type mosaic struct {
	width, height int
	sums          []float32 // of each pixel: red, green, blue, their weight, and the share that is covered
	cover         coverage
}

const perPixel = 5 // sums

func newMosaic(width, height int) *mosaic {
	return &mosaic{width: width, height: height, sums: make([]float32, perPixel*width*height)}
}

// add adds a tile whose ring is in pixels.
func (m *mosaic) add(t tile) {
	ring, weight := t.ring, float32(1)
	if t.behind {
		weight = behindWeight
	}

	page := rect{0, 0, float64(m.width), float64(m.height)}
	if len(ring) > 2 && !page.holds(boundsOf(ring)) {
		ring = clipRing(ring, page)
		for i, p := range ring { // to which rounding may have added
			ring[i] = point{max(0, min(page.right, p.x)), max(0, min(page.bottom, p.y))}
		}
	}
	if len(ring) < 3 {
		return
	}

	box := m.cover.measure(ring)
	for y := range box.Dy() {
		sum := 0.0
		row := m.cover.deltas[y*m.cover.stride : (y+1)*m.cover.stride]
		for x := range box.Dx() {
			sum += row[x]
			share := float32(min(1, math.Abs(sum)))
			if share < 1e-5 {
				continue
			}

			at := m.sums[perPixel*((box.Min.Y+y)*m.width+box.Min.X+x):][:perPixel]
			at[0] += weight * share * float32(t.color.R)
			at[1] += weight * share * float32(t.color.G)
			at[2] += weight * share * float32(t.color.B)
			at[3] += weight * share
			at[4] += share
		}
	}
}

// pixels returns each pixel that tiles cover, with its colour. Alpha is the share that they cover.
func (m *mosaic) pixels() iter.Seq2[image.Point, color.NRGBA] {
	const whole = 0.99 // what rounding may take away from 1

	return func(yield func(image.Point, color.NRGBA) bool) {
		for i := range m.width * m.height {
			at := m.sums[perPixel*i:][:perPixel]
			weight, share := at[3], at[4]
			if share <= 0 {
				continue
			}

			alpha := float32(1)
			if share < whole {
				alpha = share
			}

			channel := func(sum float32) uint8 { return uint8(min(255, sum/weight+0.5)) }
			c := color.NRGBA{R: channel(at[0]), G: channel(at[1]), B: channel(at[2]), A: uint8(255*alpha + 0.5)}
			if c.A > 0 && !yield(image.Pt(i%m.width, i/m.width), c) {
				return
			}
		}
	}
}

// coverage measures which share of each pixel a ring covers, exactly. Each edge writes down, in the pixels that it
// crosses, by how much it changes the share of them and of those right of them. The sum along a row is the share.
// Source of the algorithm: R. Levien, font-rs, 2016.
type coverage struct {
	deltas []float64
	stride int
}

// measure measures a ring without negative coordinates. It returns the box of pixels around it.
func (c *coverage) measure(ring []point) image.Rectangle {
	b := boundsOf(ring)
	box := image.Rect(int(b.left), int(b.top), int(math.Ceil(b.right)), int(math.Ceil(b.bottom)))
	c.stride = box.Dx() + 2
	if n := c.stride * box.Dy(); cap(c.deltas) < n {
		c.deltas = make([]float64, n)
	} else {
		c.deltas = c.deltas[:n]
		clear(c.deltas)
	}

	origin := point{float64(box.Min.X), float64(box.Min.Y)}
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		c.edge(point{p.x - origin.x, p.y - origin.y}, point{q.x - origin.x, q.y - origin.y})
	}

	return box
}

// edge adds an edge, row by row.
func (c *coverage) edge(from, to point) {
	direction := 1.0
	if from.y > to.y {
		from, to, direction = to, from, -1
	}
	if from.y == to.y {
		return
	}

	slope := (to.x - from.x) / (to.y - from.y)
	at := func(y float64) float64 { // between both ends, whatever rounding does
		return max(min(from.x, to.x), min(max(from.x, to.x), from.x+slope*(y-from.y)))
	}

	for y := int(from.y); float64(y) < to.y; y++ {
		top, bottom := max(float64(y), from.y), min(float64(y+1), to.y)
		x0, x1 := at(top), at(bottom)
		c.part(c.deltas[y*c.stride:(y+1)*c.stride], min(x0, x1), max(x0, x1), direction*(bottom-top))
	}
}

// part adds the part of an edge in one row: from x0 to x1, which is not left of x0, with a signed height.
func (c *coverage) part(row []float64, x0, x1, height float64) {
	first, last := int(x0), max(int(math.Ceil(x1))-1, int(x0))
	before := 0.0 // the share that the pixels so far have of the height right of the edge

	for i := first; i <= last; i++ {
		low, high := max(x0, float64(i)), min(x1, float64(i+1))
		passed, inside := 1.0, 1.0 // how much of the height lies left of the pixel's right side, and within the pixel
		if x1 > x0 {
			passed, inside = (high-x0)/(x1-x0), (high-low)/(x1-x0)
		}

		share := (passed - inside) + inside*(float64(i+1)-(low+high)/2)
		row[i] += height * (share - before)
		before = share
	}

	row[last+1] += height * (1 - before)
}
