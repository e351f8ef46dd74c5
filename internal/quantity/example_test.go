package quantity_test

import (
	"fmt"

	"github.com/loadgrid/loadgrid/internal/quantity"
)

func ExampleSizes() {
	sizes, err := quantity.Sizes("1km x 250 m")
	if err != nil {
		fmt.Println(err)
		return
	}

	for _, s := range sizes {
		fmt.Println(s.In(3035))
	}

	_, err = quantity.Sizes("2,500")
	fmt.Println(err)
	// Output:
	// 1000 <nil>
	// 250 <nil>
	// can be read as 2500 or as 2x500: write the one that you mean
}
