package picture

import "image/color"

// MaxCategories is how many categories have colours that can be told apart.
const MaxCategories = 12

// Categories are what the colours of pieces mean that have no place on a scale.
type Categories struct {
	// Name is what they are of.
	Name string
	// Values are up to MaxCategories; the first is number 1 of Piece.Category.
	Values []string
	// Other is what the number behind that of the last value means. It is left out while empty.
	Other string
}

// categoryColor returns the colour of a category. Source: the scheme Paired of ColorBrewer 2.0, by C. Brewer,
// the strong colours first.
func categoryColor(category int) color.Color {
	colors := [MaxCategories]color.NRGBA{
		{31, 120, 180, 255}, {255, 127, 0, 255}, {51, 160, 44, 255}, {227, 26, 28, 255}, {106, 61, 154, 255}, {177, 89, 40, 255},
		{166, 206, 227, 255}, {253, 191, 111, 255}, {178, 223, 138, 255}, {251, 154, 153, 255}, {202, 178, 214, 255}, {255, 255, 153, 255},
	}
	return colors[category-1]
}

// color returns the colour of a piece.
func (c Categories) color(p Piece) color.Color {
	switch {
	case p.Category < 1:
		return scale(p.Value)
	case p.Category > min(len(c.Values), MaxCategories):
		return color.Gray{Y: 140}
	}
	return categoryColor(p.Category)
}

// keys explain the colours.
func (c Categories) keys() (keys []key) {
	swatch := func(of color.Color) func(canvas, rect) {
		return func(c canvas, at rect) { c.fill(of, at.ring()) }
	}

	names := c.Values
	if c.Other != "" {
		names = append(names[:len(names):len(names)], c.Other)
	}
	for i, name := range names {
		keys = append(keys, key{name, swatch(c.color(Piece{Category: i + 1}))})
	}

	return keys
}
