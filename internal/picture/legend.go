package picture

// Legend explains the scale of colours. A picture leaves it out if Name is empty.
type Legend struct {
	Name string
	// Low and High are the values whose colours are at the ends of the scale.
	Low, High float64
	// LowText and HighText are written at the ends instead of these numbers. There are no numbers between them.
	LowText, HighText string
}

const (
	legendWidth  = 230.0 // at most
	legendBar    = 9.0
	legendHeight = 1.5*textSize + legendBar + tickLength + 1.6*textSize
)

// draw draws the bar of the scale with its name above and its ticks below.
func (l Legend) draw(c canvas, v viewport, r rect) {
	name := v.text(v.letters.shorten(l.Name, textSize, r.width()), point{r.left, r.top + textSize}, alignLeft)
	c.write(name)

	bar := rect{r.left, r.top + 1.5*textSize, min(r.right, r.left+legendWidth), r.top + 1.5*textSize + legendBar}
	const steps = 80
	for i := range steps {
		// Each reaches to the end, so that there are no seams.
		from := bar.left + float64(i)*bar.width()/steps
		c.fill(v.inks.scale(float64(i)/(steps-1)), rect{from, bar.top, bar.right, bar.bottom}.ring())
	}

	frame := line{color: v.inks.frame, width: 0.7, crisp: true}
	c.stroke(frame, bar.outline()...)
	for _, t := range l.ticks(v, bar) {
		c.stroke(frame, point{t.at.x, bar.bottom}, point{t.at.x, bar.bottom + tickLength})
		c.write(t)
	}
}

// ticks returns the texts below the bar: both ends, and as many round numbers between them as have room.
func (l Legend) ticks(v viewport, bar rect) (ticks []label) {
	y := bar.bottom + tickLength + textSize
	add := func(text string, x float64, to align) { ticks = append(ticks, v.text(text, point{x, y}, to)) }

	if l.LowText+l.HighText != "" || !(l.Low < l.High) {
		low, high := l.LowText, l.HighText
		if low+high == "" {
			low, high = valueTexts(l.Low, l.High)
		}
		add(low, bar.left, alignLeft)
		add(high, bar.right, alignRight)
		return ticks
	}

	const gap = 8.0
	low, high := valueTexts(l.Low, l.High)
	left, right := bar.left+v.letters.width(low, textSize)+gap, bar.right-v.letters.width(high, textSize)-gap
	add(low, bar.left, alignLeft)

	for _, t := range v.ticks(l.Low, l.High, bar.width()) {
		x := bar.left + (t.value-l.Low)/(l.High-l.Low)*bar.width()
		half := v.letters.width(t.text, textSize) / 2
		if t.text == "" || x-half < left || x+half > right {
			continue
		}
		add(t.text, x, alignCenter)
		left = x + half + gap
	}

	add(high, bar.right, alignRight)

	return ticks
}
