package study_test

import (
	"context"
	"fmt"

	"github.com/railyard/railyard/datacenter"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/study"
)

func ExampleWhy() {
	s, faults := scenario.Parse("bert.toml", []byte(bert), nil)
	if faults != nil {
		fmt.Println(faults)
		return
	}
	r, err := study.Why(context.Background(), s, datacenter.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.List("training")[0].Text("verdict"))
	// Output: no one resource bounds it: 10 % more compute gives the most, 4.6 %
}
