package picture

import (
	"image/color"
	"math"
)

// viridis are the colours at 0, 0.1 and so on to 1 of the colour map viridis. It is perceptually uniform, and people
// with colour-blindness and printers without colours can read it. Source: S. van der Walt and N. Smith, 2015, for
// matplotlib, in the public domain (CC0).
func viridis() [11]color.NRGBA {
	return [...]color.NRGBA{
		rgb(0x440154), rgb(0x482576), rgb(0x414487), rgb(0x35608d), rgb(0x2a788e), rgb(0x21908c),
		rgb(0x22a884), rgb(0x43bf71), rgb(0x7ad151), rgb(0xbbdf27), rgb(0xfde725),
	}
}

// scale returns the colour of a value between 0 and 1, and of NaN, which means that there is none.
func (k inks) scale(v float64) color.NRGBA {
	if math.IsNaN(v) {
		return k.noValue
	}

	stops := viridis()
	at := k.scaleLow + (k.scaleTop-k.scaleLow)*max(0, min(1, v))
	f := at * float64(len(stops)-1)
	i := min(int(f), len(stops)-2)

	return mix(stops[i], stops[i+1], f-float64(i))
}

// mix returns a colour between two: share is how much of b it has.
func mix(a, b color.NRGBA, share float64) color.NRGBA {
	channel := func(a, b uint8) uint8 { return uint8(float64(a)*(1-share) + float64(b)*share + 0.5) }
	return color.NRGBA{R: channel(a.R, b.R), G: channel(a.G, b.G), B: channel(a.B, b.B), A: 255}
}
