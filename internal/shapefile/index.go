package shapefile

import (
	"encoding/binary"

	"github.com/loadgrid/loadgrid/internal/feature"
)

// headerBytes is the size of the header of .shp and .shx.
const headerBytes = 100

// index is the .shx, which has the place of each shape. Programs that change a shape may append it,
// and leave the old one in its place.
type index struct {
	in *stream
}

// openIndex reads the header of a .shx. The index is nil if there is no .shx.
func openIndex(s *stream) (*index, error) {
	if s == nil {
		return nil, nil
	}

	head := make([]byte, headerBytes)
	if err := s.read(head); err != nil {
		return nil, err
	}

	if !Is(head) {
		return nil, feature.BadArea("is a shapefile whose .shx does not begin with the code 9994: remove it, or repair it")
	}

	end, err := s.end(head)
	s.size = end
	return &index{s}, err
}

// end returns the end of a part according to its header, whose unit is 16 bits. Some programs leave
// it 0.
func (s *stream) end(head []byte) (int64, error) {
	end := 2 * int64(binary.BigEndian.Uint32(head[24:]))

	switch {
	case end > s.size:
		return 0, feature.BadArea("is a shapefile whose .%s ends too early: it has %d bytes, but its header says %d", s.part, s.size, end)
	case end < headerBytes:
		return s.size, nil
	}
	return end, nil
}

// next returns the place of the next shape in the .shp. more is false at the end.
func (x *index) next() (at int64, more bool, err error) {
	if x.in.size-x.in.at < 8 {
		return 0, false, nil
	}

	var b [8]byte
	if err := x.in.read(b[:]); err != nil {
		return 0, false, err
	}
	return 2 * int64(binary.BigEndian.Uint32(b[:])), true, nil
}
