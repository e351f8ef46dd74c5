package picture

import (
	"bytes"
	"errors"
	"image/color"

	"git.sr.ht/~sbinet/gg"
)

// dotsPerPoint makes pictures of 96 dots an inch.
const dotsPerPoint = 96.0 / 72

// raster is a page as PNG.
type raster struct {
	context *gg.Context
	letters typeface
	err     error // of the font
}

func newRaster(t typeface, width, height float64) *raster {
	r := &raster{context: gg.NewContext(int(width*dotsPerPoint+0.5), int(height*dotsPerPoint+0.5)), letters: t}
	r.context.SetColor(color.White)
	r.context.Clear()
	r.context.SetFillRuleEvenOdd()
	r.context.SetLineCapButt()
	r.context.SetLineJoin(gg.LineJoinBevel)

	return r
}

func (r *raster) path(points []point) {
	for i, p := range points {
		if i == 0 {
			r.context.MoveTo(p.x*dotsPerPoint, p.y*dotsPerPoint)
		} else {
			r.context.LineTo(p.x*dotsPerPoint, p.y*dotsPerPoint)
		}
	}
}

func (r *raster) fill(c color.Color, rings ...[]point) {
	for _, ring := range rings {
		r.path(ring)
		r.context.ClosePath()
	}

	r.context.SetColor(c)
	r.context.Fill()
}

func (r *raster) stroke(l line, points ...point) {
	dashes := make([]float64, len(l.dashes))
	for i, d := range l.dashes {
		dashes[i] = d * dotsPerPoint
	}

	r.path(points)
	r.context.SetColor(l.color)
	r.context.SetLineWidth(l.width * dotsPerPoint)
	r.context.SetDash(dashes...)
	r.context.Stroke()
}

func (r *raster) disc(c color.Color, center point, radius float64) {
	r.context.DrawCircle(center.x*dotsPerPoint, center.y*dotsPerPoint, radius*dotsPerPoint)
	r.context.SetColor(c)
	r.context.Fill()
}

func (r *raster) write(l label) {
	if l.text == "" {
		return
	}

	face, err := r.letters.face(l.size * dotsPerPoint)
	if err != nil {
		r.err = errors.Join(r.err, err)
		return
	}

	r.context.SetFontFace(face)
	r.context.SetColor(color.Black)
	r.context.DrawStringAnchored(r.letters.spell(l.text), l.at.x*dotsPerPoint, l.at.y*dotsPerPoint, float64(l.align), 0)
}

func (r *raster) encode() ([]byte, error) {
	var b bytes.Buffer
	err := errors.Join(r.err, r.context.EncodePNG(&b))
	return b.Bytes(), err
}
