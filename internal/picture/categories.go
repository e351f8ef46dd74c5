package picture

import "image/color"

// MaxCategories is how many categories have colours that people can distinguish.
const MaxCategories = 12

// Categories are the meanings of colours that are not on a scale.
type Categories struct {
	// Name is what they are of.
	Name string
	// Values are up to MaxCategories; the first is number 1 of Piece.Category.
	Values []string
	// Other is the meaning of the number after the last value's. The legend leaves it out if it is empty.
	Other string
}

// categoryColor returns the colour of a category. The first seven are those of M. Okabe and K. Ito, Color Universal
// Design, 2008, without black: people with any kind of colour-blindness can distinguish them. The others are lighter or
// darker than these.
func categoryColor(category int) color.NRGBA {
	colors := [MaxCategories]color.NRGBA{
		rgb(0x0072b2), rgb(0xe69f00), rgb(0x009e73), rgb(0xcc79a7), rgb(0x56b4e9), rgb(0xd55e00), rgb(0xf0e442),
		rgb(0x7570b3), rgb(0x882255), rgb(0x999933), rgb(0xffaabb), rgb(0x8c564b),
	}
	return colors[category-1]
}

// color returns the colour of a piece.
func (c Categories) color(k inks, p Piece) color.NRGBA {
	switch {
	case p.Category < 1:
		return k.scale(p.Value)
	case p.Category > min(len(c.Values), MaxCategories):
		return k.other
	}
	return categoryColor(p.Category)
}

// keys explain the colours.
func (c Categories) keys(k inks) (keys []key) {
	names := c.Values
	if c.Other != "" {
		names = append(names[:len(names):len(names)], c.Other)
	}
	for i, name := range names {
		keys = append(keys, key{name, swatch(c.color(k, Piece{Category: i + 1}))})
	}

	return keys
}
