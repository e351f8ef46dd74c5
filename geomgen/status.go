package geomgen

import "slices"

// statusBlock is the most segments in a block of a status. Moving half of them costs about as much as finding the
// position of one.
const statusBlock = 512

// status holds the segments that a sweep line crosses, from left to right, in non-empty blocks.
type status struct{ blocks [][]int32 }

// spot is a position in a status: that of a segment, or the one after the last.
type spot struct{ block, at int }

// search returns the position of the first segment for which left is false. left must be true for all segments
// before it, and false for all after it.
func (s *status) search(left func(i int32) bool) spot {
	lo, hi := 0, len(s.blocks)
	for lo < hi {
		if mid := (lo + hi) / 2; left(s.blocks[mid][0]) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}

	if lo == 0 {
		return spot{}
	}

	block := s.blocks[lo-1]
	from, to := 1, len(block)
	for from < to {
		if mid := (from + to) / 2; left(block[mid]) {
			from = mid + 1
		} else {
			to = mid
		}
	}

	return s.tidy(spot{lo - 1, from})
}

// tidy turns the position after the end of a block into that of the next block's first segment.
func (s *status) tidy(p spot) spot {
	if p.block < len(s.blocks) && p.at == len(s.blocks[p.block]) {
		return spot{p.block + 1, 0}
	}
	return p
}

// at returns the segment at a position, or -1 after the last one.
func (s *status) at(p spot) int32 {
	if p.block == len(s.blocks) {
		return -1
	}
	return s.blocks[p.block][p.at]
}

// next returns the position after that of a segment.
func (s *status) next(p spot) spot { return s.tidy(spot{p.block, p.at + 1}) }

// before returns the segment to the left of a position, or -1 for none.
func (s *status) before(p spot) int32 {
	switch {
	case p.at > 0:
		return s.blocks[p.block][p.at-1]
	case p.block > 0:
		block := s.blocks[p.block-1]
		return block[len(block)-1]
	}
	return -1
}

// replace replaces n segments from p on by others.
func (s *status) replace(p spot, n int, with []int32) {
	if p.block < len(s.blocks) && n == len(with) && p.at+n <= len(s.blocks[p.block]) {
		copy(s.blocks[p.block][p.at:], with)
		return
	}

	for n > 0 {
		block := s.blocks[p.block]
		k := min(n, len(block)-p.at)
		n -= k
		if s.blocks[p.block] = slices.Delete(block, p.at, p.at+k); k == len(block) {
			s.blocks = slices.Delete(s.blocks, p.block, p.block+1)
		}
		p = s.tidy(p)
	}

	if len(with) > 0 {
		s.insert(p, with)
	}
}

func (s *status) insert(p spot, with []int32) {
	switch {
	case len(s.blocks) == 0:
		s.blocks = append(s.blocks, make([]int32, 0, statusBlock+2))
	case p.block == len(s.blocks):
		p = spot{p.block - 1, len(s.blocks[p.block-1])}
	}

	block := slices.Insert(s.blocks[p.block], p.at, with...)
	if s.blocks[p.block] = block; len(block) <= statusBlock {
		return
	}

	var parts [][]int32
	for part := range slices.Chunk(block, statusBlock/2+1) {
		parts = append(parts, append(make([]int32, 0, statusBlock+2), part...))
	}
	s.blocks = slices.Replace(s.blocks, p.block, p.block+1, parts...)
}

// remove removes a segment by searching all of them.
func (s *status) remove(i int32) {
	for b, block := range s.blocks {
		if k := slices.Index(block, i); k >= 0 {
			s.replace(spot{b, k}, 1, nil)
			return
		}
	}
}
