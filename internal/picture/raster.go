package picture

import (
	"errors"
	"image"
	"image/color"
	"image/draw"
	"iter"
	"math"

	"git.sr.ht/~sbinet/gg"
)

// dotsPerPoint makes pictures of 108 dots an inch, about 900 to 1,000 pixels wide.
const dotsPerPoint = 1.5

// raster is a page as PNG.
type raster struct {
	context *gg.Context
	letters typeface
	err     error // of the font
}

func newRaster(t typeface, page color.NRGBA, width, height float64) *raster {
	r := &raster{context: gg.NewContext(int(width*dotsPerPoint+0.5), int(height*dotsPerPoint+0.5)), letters: t}
	r.context.SetColor(page)
	r.context.Clear()
	r.context.SetFillRuleEvenOdd()
	r.context.SetLineCapButt()
	r.context.SetLineJoin(gg.LineJoinBevel)

	return r
}

func (r *raster) path(points []point, place func(float64) float64) {
	for i, p := range points {
		if i == 0 {
			r.context.MoveTo(place(p.x), place(p.y))
		} else {
			r.context.LineTo(place(p.x), place(p.y))
		}
	}
}

func dots(points float64) float64 { return points * dotsPerPoint }

func (r *raster) fill(c color.NRGBA, rings ...[]point) {
	for _, ring := range rings {
		r.path(ring, dots)
		r.context.ClosePath()
	}

	r.context.SetColor(c)
	r.context.Fill()
}

func (r *raster) stroke(l line, points ...point) {
	dashes := make([]float64, len(l.dashes))
	for i, d := range l.dashes {
		dashes[i] = dots(d)
	}

	width, place := dots(l.width), dots
	if l.crisp {
		width = max(1, math.Round(width))
		half := math.Mod(width, 2) / 2 // of a pixel, where the number of pixels is odd
		place = func(f float64) float64 { return math.Round(dots(f)-half) + half }
	}

	r.path(points, place)
	r.context.SetColor(l.color)
	r.context.SetLineWidth(width)
	r.context.SetDash(dashes...)
	r.context.Stroke()
}

func (r *raster) mosaic(within rect, tiles iter.Seq[tile]) {
	at, m := sample(within, tiles)
	img := r.context.Image().(*image.RGBA) // as NewContext makes it
	for p, c := range m.pixels() {
		p = p.Add(at)
		if !p.In(img.Rect) {
			continue
		}

		back := img.RGBAAt(p.X, p.Y)
		c = mix(color.NRGBA(back), c, float64(c.A)/255) // the page is opaque
		img.SetRGBA(p.X, p.Y, color.RGBA(c))
	}
}

// sample samples the tiles in a part of the page. It returns where the first pixel is.
func sample(within rect, tiles iter.Seq[tile]) (at image.Point, m *mosaic) {
	at = image.Pt(int(math.Floor(dots(within.left))), int(math.Floor(dots(within.top))))
	m = newMosaic(int(math.Ceil(dots(within.right)))-at.X, int(math.Ceil(dots(within.bottom)))-at.Y)

	var ring []point
	for t := range tiles {
		ring = ring[:0]
		for _, p := range t.ring {
			ring = append(ring, point{dots(p.x) - float64(at.X), dots(p.y) - float64(at.Y)})
		}
		t.ring = ring
		m.add(t)
	}

	return at, m
}

func (r *raster) write(l label) {
	if l.text == "" {
		return
	}

	face, err := r.letters.face(dots(l.size))
	if err != nil {
		r.err = errors.Join(r.err, err)
		return
	}

	r.context.SetFontFace(face)
	r.context.SetColor(l.ink)
	r.context.DrawStringAnchored(r.letters.spell(l.text), dots(l.at.x), math.Round(dots(l.at.y)), float64(l.align), 0)
}

func (r *raster) encode() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}

	img := image.NewNRGBA(r.context.Image().Bounds())
	draw.Draw(img, img.Rect, r.context.Image(), img.Rect.Min, draw.Src)

	return encodePNG(img, maxPixelBytes)
}
