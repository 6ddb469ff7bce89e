// Package page makes one HTML file of a results folder: what a run or a sweep
// found, with its meaning, to be opened in any browser, printed, or sent by mail.
// The file holds all that it needs and asks for nothing from anywhere; a policy in
// its head (Content Security Policy Level 3, W3C) has the browser refuse whatever
// it might ask for, and run no script but the page's own.
//
// Go reads the folder and decides what is worth showing; the script in assets draws
// that. Between them is a document: sections of parts, each part of a kind that
// the script has a function for, with what its values mean from the declarations of
// the metrics. It is embedded as JSON. Time lines and curves are drawn by uPlot
// (assets/uplot, MIT licence), the rest by scripts of our own.
//
// A page does not grow with the run. Of a long series each of equal parts keeps the
// rows with the least and the greatest value of every column, so that peaks stay
// what they are; of a long table the rows that matter most stay, and how many there
// are is said. The same results give the same bytes: nothing of the host or the
// moment of a run is shown.
package page
