package picture

import "image/color"

// Theme is for which background a picture is made. The zero value is Light.
type Theme string

// The themes.
const (
	Light Theme = "light"
	Dark  Theme = "dark"
)

// Themes are the names of the themes.
func Themes() []string { return []string{string(Light), string(Dark)} }

// inks are the colours of a theme.
type inks struct {
	page, panel        color.NRGBA // behind everything, and behind what is drawn to scale
	text, subtext      color.NRGBA // subtext is for what matters less
	frame, graticule   color.NRGBA // lines around a panel and across it
	area, areaFill     color.NRGBA
	edge               color.NRGBA // between cells
	noValue, other     color.NRGBA
	bar, strongBar     color.NRGBA // of a chart
	scaleLow, scaleTop float64     // the part of the scale of colours, from its value 0 to its value 1
}

// inks returns the colours. In each theme, a higher value contrasts more with the page.
func (t Theme) inks() inks {
	if t == Dark {
		return inks{
			page: rgb(0x0d1117), panel: rgb(0x161b22), text: rgb(0xe6edf3), subtext: rgb(0x9aa4af),
			frame: rgb(0x6e7681), graticule: rgb(0x262c36), area: rgb(0xff7b72), areaFill: rgb(0x3d2226),
			edge: rgb(0x161b22), noValue: rgb(0x484f58), other: rgb(0x8b949e),
			bar: rgb(0x6e7681), strongBar: rgb(0x4493f8), scaleLow: 0.2, scaleTop: 1,
		}
	}

	return inks{
		page: rgb(0xffffff), panel: rgb(0xf5f6f8), text: rgb(0x1f2328), subtext: rgb(0x59636e),
		frame: rgb(0x818b98), graticule: rgb(0xe4e7eb), area: rgb(0xc01c28), areaFill: rgb(0xfbe2e0),
		edge: rgb(0xffffff), noValue: rgb(0xc8cdd3), other: rgb(0x8c959f),
		bar: rgb(0xafb8c1), strongBar: rgb(0x2a6fb8), scaleLow: 0.9, scaleTop: 0,
	}
}

func rgb(hex uint32) color.NRGBA {
	return color.NRGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 255}
}
