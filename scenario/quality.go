package scenario

import (
	"fmt"
	"io"
	"strings"

	"github.com/railyard/railyard/workload/serving"
)

// Score is a row of a table of quality: what somebody measured of a model whose weights
// are in a format, sparse, or pruned. A distilled student is another model.
type Score struct {
	Model, Quantization, Sparsity string
	Pruning                       float64
	Score                         float64 // the more the better
}

// Quality is a table of scores, which the user brings: no simulation knows what narrow
// weights do to answers.
type Quality []Score

// Of finds the score of a variant of a model.
func (q Quality) Of(model, quantization, sparsity string, pruning float64) (float64, bool) {
	for _, s := range q {
		if s.Model == model && s.Quantization == quantization && s.Sparsity == sparsity && s.Pruning == pruning {
			return s.Score, true
		}
	}
	return 0, false
}

// maxScores bounds a table of quality.
const maxScores = 1000

// OpenQuality reads a table of quality.
func OpenQuality(path string) (Quality, Faults) {
	return (&Scenario{File: "-"}).readQuality(Key[string]{Value: path, Pos: Position{File: path, Line: 1, Col: 1}}, "quality")
}

func (s *Scenario) readQuality(name Key[string], path string) (all Quality, faults Faults) {
	faults = s.withTable(name, path, func(file string, in io.Reader) (faults Faults) {
		all, faults = readQuality(file, in)
		return faults
	})
	return all, faults
}

// QualityOf finds the score of what a [[workload.serving]] serves, in the table that it names.
func (s *Scenario) QualityOf(w *Serving) (float64, Faults) {
	path := w.Path + ".quality"
	all, faults := s.readQuality(w.Quality, path)
	if faults != nil {
		return 0, faults
	}
	model, quantization, sparsity, pruning := w.Model.Value, w.Quantization.Value, w.Sparsity.Value, w.Pruning.Value
	score, ok := all.Of(model, quantization, sparsity, pruning)
	if !ok {
		return 0, Faults{w.Quality.Pos.Faultf(path, "%s: %s has no score of %s", path, shown(w.Quality.Value), variant(model, quantization, sparsity, pruning))}
	}
	return score, nil
}

// variant names one as a message has it.
func variant(model, quantization, sparsity string, pruning float64) string {
	text := fmt.Sprintf("%s with quantization %s, sparsity %s", model, quantization, sparsity)
	if pruning > 0 {
		text += fmt.Sprintf(", pruning %v", pruning)
	}
	return text
}

func readQuality(file string, in io.Reader) (Quality, Faults) {
	rows := newRows(file, in)
	if !rows.header([]string{"model", "quantization", "score"}, []string{"sparsity", "pruning"}) {
		return nil, rows.all()
	}
	model, quantization, score, sparsity, pruning := rows.column("model"), rows.column("quantization"), rows.column("score"), rows.column("sparsity"), rows.column("pruning")
	all := Quality{}
	for rows.next() {
		if len(all) == maxScores {
			rows.faultf(model, "more than %d rows", maxScores)
			break
		}
		x := Score{Model: strings.Clone(rows.text(model)), Quantization: strings.Clone(rows.text(quantization)), Sparsity: "none", Score: rows.number(score)}
		if x.Model == "" {
			rows.faultf(model, "must name a model")
		}
		if _, ok := serving.ParseFormat(x.Quantization); !ok {
			rows.faultf(quantization, "%q is unknown: none, fp8, int8, fp4 or int4", shown(x.Quantization))
		}
		if sparsity >= 0 && rows.text(sparsity) != "" {
			if x.Sparsity = strings.Clone(rows.text(sparsity)); x.Sparsity != "none" && x.Sparsity != "2:4" {
				rows.faultf(sparsity, "%q is unknown: none or 2:4", shown(x.Sparsity))
			}
		}
		if pruning >= 0 && rows.text(pruning) != "" {
			if x.Pruning = rows.number(pruning); x.Pruning > 0.95 {
				rows.faultf(pruning, "must be from 0 to 0.95")
			}
		}
		if _, twice := all.Of(x.Model, x.Quantization, x.Sparsity, x.Pruning); twice {
			rows.faultf(model, "%s is there twice", variant(shown(x.Model), x.Quantization, x.Sparsity, x.Pruning))
		}
		all = append(all, x)
	}
	if faults := rows.all(); faults != nil {
		return nil, faults
	}
	return all, nil
}
