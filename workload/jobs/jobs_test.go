package jobs_test

import (
	"fmt"

	"github.com/railyard/railyard/workload/jobs"
)

func ExampleRebase() {
	all := []jobs.Job{{ID: "b", Submit: 1507000030}, {ID: "a", Submit: 1507000000}}
	shift := jobs.Rebase(all)
	fmt.Println(all[0].Submit, all[1].Submit, "shifted by", int64(shift))
	// Output:
	// 30 0 shifted by 1507000000
}
